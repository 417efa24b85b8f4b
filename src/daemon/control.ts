import type { ControlMethod } from '../adapters/local-server.ts';
import { RpcError, rpcErrorCode } from '../protocol/json-rpc.ts';
import { parseCall } from '../protocol/local-requests.ts';
import type { ConsumersReport } from '../protocol/status.ts';
import type { Calls } from './calls.ts';
import type { Gateway } from './gateway.ts';
import type { ReloadAnswer } from './live-configuration.ts';

export interface ControlPorts {
  readonly calls: Calls;
  readonly gateway: Pick<Gateway, 'rest'>;
  readonly reconnect: () => string;
  readonly rotate: () => string;
  readonly refresh: () => string;
  readonly reload: () => ReloadAnswer;
  readonly consumers: () => Promise<ConsumersReport>;
}

const invalid = (message: string) => new RpcError(rpcErrorCode.invalidParams, message);

/** The methods that only the owner of the daemon may call. */
export function controlMethods({
  calls,
  gateway,
  reconnect,
  rotate,
  refresh,
  reload,
  consumers,
}: ControlPorts): Readonly<Record<string, ControlMethod>> {
  return {
    call: (params, caller, line) => calls.call(parseCall(params, line), caller),
    reconnect: () => ({ accepted: true, detail: reconnect() }),
    rotate: () => ({ accepted: true, detail: rotate() }),
    refresh: () => ({ accepted: true, detail: refresh() }),
    reload,
    consumers,
    rest: ({ method, path, data }, caller) => {
      if (typeof method !== 'string') throw invalid('method is GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS');
      if (typeof path !== 'string') throw invalid('path begins with one /, such as /v1/rfq?limit=10');
      if (data !== undefined && typeof data !== 'string') throw invalid('data is the body, as a string');
      return gateway.rest({ method: method.toUpperCase(), path, data }, caller);
    },
  };
}
