// Beside an existing Node application, without any package: pass /qrvey/ on to the relay, and have
// the relay ask this application who is signed in (identity.url = ".../session").
import http from 'node:http';

/** Express: app.use('/qrvey', passOnTo(relay)). Without Express: call it for URLs below /qrvey/. */
export function passOnTo(relay, agent = new http.Agent({ keepAlive: true })) {
  const { hostname, port } = new URL(relay);
  return (request, response) => {
    const headers = { ...request.headers, 'x-forwarded-for': request.socket.remoteAddress };
    const path = request.originalUrl ?? request.url;
    const onward = http.request(
      { hostname, port, path, method: request.method, headers, agent },
      (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => {
      if (!response.headersSent) response.writeHead(502);
      response.end();
    });
    request.pipe(onward);
  };
}
