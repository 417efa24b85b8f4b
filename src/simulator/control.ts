import { pathOf } from '../protocol/path.ts';
import { FaultError, parseFault } from './faults.ts';
import { bodyText, httpError, json } from './http-reply.ts';
import type { HttpReply, HttpRequest } from './ports.ts';
import type { Venue } from './venue.ts';

/** Requests below this path script the simulator; they are not part of the venue. */
export const controlPath = '/simulator/';

/** Answers a control request: faults in, out and listed, and the counters. Not subject to faults or limits. */
export function answerControl(venue: Venue, request: HttpRequest): HttpReply {
  const path = pathOf(request.path);
  const id = /^\/simulator\/faults\/(?<id>\d{1,15})$/.exec(path)?.groups?.['id'];
  switch (`${request.method} ${id === undefined ? path : '/simulator/faults/:id'}`) {
    case 'POST /simulator/faults':
      return injectFault(venue, bodyText(request.body));
    case 'GET /simulator/faults':
      return json(200, venue.faults.list());
    case 'DELETE /simulator/faults':
      venue.clearFaults();
      return json(200, { cleared: true });
    case 'DELETE /simulator/faults/:id':
      return venue.faults.end(Number(id))
        ? json(200, { cleared: true })
        : httpError(404, 'Not Found', `no fault ${id}`);
    case 'GET /simulator/stats':
      return json(200, venue.stats);
    default:
      return httpError(404, 'Not Found', `no such endpoint: ${request.method} ${path}`);
  }
}

function injectFault(venue: Venue, body: string): HttpReply {
  try {
    const fault = parseFault(JSON.parse(body));
    return json(200, { id: venue.faults.inject(fault).id });
  } catch (error) {
    if (error instanceof SyntaxError) return httpError(400, 'Bad Request', 'body must be JSON');
    if (error instanceof FaultError) return httpError(400, 'Bad Request', error.message);
    throw error;
  }
}
