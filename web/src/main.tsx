import './styles/base.css';
import './styles/controls.css';
import './styles/layout.css';
import './styles/jobs.css';
import './styles/result.css';

import { render } from 'preact';

import { start } from './app';
import { App } from './components/App';
import { followAddress } from './route';

followAddress();
start();
render(<App />, document.getElementById('app')!);
