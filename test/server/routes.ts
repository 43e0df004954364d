// Every route of the server, with requests by which tests ask for it. The server says what it has (`door.routes`), so a route that is not here
// fails a test.

/** What is at a route without any credential: all of it, nothing, or what the credential in the request itself is good for. */
export type Open = 'open' | 'shut' | 'own';

/** The server's name of a route, the requests that reach it, and who may. */
export const ROUTES: Record<string, { asks: [method: string, path: string][]; to: Open }> = {
  'GET /': { asks: [['GET', '/']], to: 'open' },
  'GET /livez': { asks: [['GET', '/livez']], to: 'open' },
  'GET /readyz': { asks: [['GET', '/readyz']], to: 'open' },
  'GET /version': { asks: [['GET', '/version']], to: 'open' },
  'GET /openapi.json': { asks: [['GET', '/openapi.json']], to: 'open' },
  'POST /sign-in': { asks: [['POST', '/sign-in']], to: 'own' },
  'POST /enrol': { asks: [['POST', '/enrol']], to: 'own' },
  'POST /hooks/task': { asks: [['POST', '/hooks/task']], to: 'own' },
  'POST /sign-out': { asks: [['POST', '/sign-out']], to: 'shut' },
  'GET /api/views': { asks: [['GET', '/api/views']], to: 'shut' },
  'GET /api/views/:name': {
    asks: [
      ['GET', '/api/views/overview'],
      ['GET', '/api/views/projects'],
      ['GET', '/api/views/nothing'],
    ],
    to: 'shut',
  },
  'POST /api/:tool': {
    asks: [
      ['POST', '/api/whoami'],
      ['POST', '/api/hook'],
      ['POST', '/api/nothing'],
    ],
    to: 'shut',
  },
  'GET /api/:tool': { asks: [['GET', '/api/whoami']], to: 'shut' },
  'PUT /api/:tool': { asks: [['PUT', '/api/whoami']], to: 'shut' },
  'PATCH /api/:tool': { asks: [['PATCH', '/api/whoami']], to: 'shut' },
  'DELETE /api/:tool': { asks: [['DELETE', '/api/whoami']], to: 'shut' },
  'GET /metrics': { asks: [['GET', '/metrics']], to: 'shut' },
  'GET /events': { asks: [['GET', '/events']], to: 'shut' },
  'ALL /mcp': { asks: ['POST', 'GET', 'DELETE', 'OPTIONS', 'PUT'].map((method) => [method, '/mcp']), to: 'shut' },
  /** What is no route. */
  '*': {
    asks: [
      ['GET', '/nowhere'],
      ['POST', '/api'],
      ['GET', '/assets/nothing.js'],
    ],
    to: 'shut',
  },
};

/** Every request of the table, with who may come in. */
export const ASKS = Object.values(ROUTES).flatMap(({ asks, to }) => asks.map(([method, path]) => ({ method, path, to })));
