import type { ControlMethod } from '../adapters/local-server.ts';
import type { Rest } from '../adapters/rest.ts';
import { failureOf } from '../protocol/failure.ts';
import { RpcError, rpcErrorCode } from '../protocol/json-rpc.ts';
import type { ConsumersReport } from '../protocol/status.ts';
import type { ReloadAnswer } from './live-configuration.ts';

export interface ControlPorts {
  readonly rest: Rest;
  readonly reconnect: () => string;
  readonly rotate: () => string;
  readonly refresh: () => string;
  readonly reload: () => ReloadAnswer;
  readonly consumers: () => Promise<ConsumersReport>;
}

const httpMethods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'];
const invalid = (message: string) => new RpcError(rpcErrorCode.invalidParams, message);

/** The methods that only the owner of the daemon may call. */
export function controlMethods({
  rest,
  reconnect,
  rotate,
  refresh,
  reload,
  consumers,
}: ControlPorts): Readonly<Record<string, ControlMethod>> {
  return {
    reconnect: () => ({ accepted: true, detail: reconnect() }),
    rotate: () => ({ accepted: true, detail: rotate() }),
    refresh: () => ({ accepted: true, detail: refresh() }),
    reload,
    consumers,
    rest: async ({ method, path, data }) => {
      if (typeof method !== 'string' || !httpMethods.includes(method.toUpperCase())) {
        throw invalid(`method is one of ${httpMethods.join(', ')}`);
      }
      if (typeof path !== 'string' || !/^\/[\x21-\x7e]*$/.test(path) || path.startsWith('//')) {
        throw invalid('path begins with one / and holds no blanks, such as /v1/rfq?limit=10');
      }
      if (data !== undefined && typeof data !== 'string') throw invalid('data is the body, as a string');
      const answer = await rest
        .call({ method: method.toUpperCase(), path, ...(data === undefined ? {} : { body: data }) })
        .catch((error: unknown) => {
          const found = failureOf(error);
          throw new RpcError(rpcErrorCode.venueFailure, found.message, { class: found.class, code: found.code });
        });
      const type = answer.headers['content-type'];
      return { status: answer.status, contentType: typeof type === 'string' ? type : null, body: answer.body };
    },
  };
}
