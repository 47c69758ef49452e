import { defineConfig } from 'vite';

import { licenses } from './licenses';

// Where `npm run dev` sends what is not the page: a server, or the mock of dev/mock-server.mjs.
const server = process.env['RUSHES_URL'] ?? 'http://127.0.0.1:3000';
const toServer = { target: server, changeOrigin: false };

export default defineConfig({
  plugins: [licenses()],
  base: './', // the page may stand below any path
  build: {
    target: 'es2021',
    // Nothing becomes a data: address, which the Content-Security-Policy would refuse.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/analyze': toServer,
      '/files': toServer,
      '/dev/token': toServer,
      '/notifications': toServer,
      '/user-preferences': toServer,
      '/socket.io': { ...toServer, ws: true },
    },
  },
});
