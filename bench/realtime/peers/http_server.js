// A small JSON answer by Node's own server: node http_server.js --port P
import http from 'node:http';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { port: { type: 'string', default: '3000' } } });
http
  .createServer((request, response) => {
    const body = JSON.stringify({ status: 'ok', uptime: 1 });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
    response.end(body);
  })
  .listen({ port: Number(values.port), host: '127.0.0.1', backlog: 4096 }, () => console.log('ready'));
