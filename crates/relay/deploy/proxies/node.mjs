// Beside an existing Node application, without any package: pass /qrvey/ on to the relay, and have
// the relay ask this application who is signed in (identity.url = ".../session").
import http from 'node:http';
import { pipeline } from 'node:stream';

// They speak of one connection, not of the request. Transfer-Encoding stays: it frames the body.
const OF_THE_CONNECTION = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade'];
const TIMEOUT_MS = 15_000;

/** Express: app.use('/qrvey', passOnTo(relay)). Without Express: call it for URLs below /qrvey/. */
export function passOnTo(relay, agent = new http.Agent({ keepAlive: true })) {
  const { hostname, port } = new URL(relay);
  return (request, response) => {
    const headers = { ...request.headers, 'x-forwarded-for': request.socket.remoteAddress };
    for (const name of OF_THE_CONNECTION) delete headers[name];
    const path = request.originalUrl ?? request.url;
    const { method } = request;
    const options = { hostname, port, path, method, headers, agent, timeout: TIMEOUT_MS };
    const onward = http.request(options, (answer) => {
      for (const name of OF_THE_CONNECTION) delete answer.headers[name];
      response.writeHead(answer.statusCode, answer.headers);
      // Where the relay breaks off, so does the answer.
      pipeline(answer, response, () => {});
    });
    onward.on('timeout', () => onward.destroy());
    onward.on('error', () => {
      if (!response.headersSent) response.writeHead(502);
      response.end();
    });
    response.on('close', () => {
      if (!response.writableFinished) onward.destroy();
    });
    request.pipe(onward);
  };
}
