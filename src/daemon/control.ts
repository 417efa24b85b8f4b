import type { ControlMethod } from '../adapters/local-server.ts';
import type { DiagnosisDocument } from '../protocol/diagnosis.ts';
import { RpcError, rpcErrorCode } from '../protocol/json-rpc.ts';
import { parseCall } from '../protocol/local-requests.ts';
import type { ConsumersReport } from '../protocol/status.ts';
import type { Calls } from './calls.ts';
import type { Gateway } from './gateway.ts';
import type { ReloadAnswer } from './live-configuration.ts';
import type { Wishes } from './wishes.ts';

export interface ControlPorts {
  readonly calls: Calls;
  readonly gateway: Pick<Gateway, 'rest'>;
  readonly wishes: Wishes;
  readonly reload: () => ReloadAnswer;
  readonly consumers: () => Promise<ConsumersReport>;
  readonly debug: () => DiagnosisDocument;
}

const invalid = (message: string) => new RpcError(rpcErrorCode.invalidParams, message);

/** The methods that only the owner of the daemon may call. */
export function controlMethods({
  calls,
  gateway,
  wishes,
  reload,
  consumers,
  debug,
}: ControlPorts): Readonly<Record<string, ControlMethod>> {
  return {
    call: (params, caller, line) => calls.call(parseCall(params, line), caller),
    reconnect: () => ({ accepted: true, detail: wishes.reconnect() }),
    rotate: () => ({ accepted: true, detail: wishes.rotate() }),
    refresh: () => ({ accepted: true, detail: wishes.refresh() }),
    reload,
    consumers,
    debug,
    rest: ({ method, path, data }, caller) => {
      if (typeof method !== 'string') throw invalid('method is GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS');
      if (typeof path !== 'string') throw invalid('path begins with one /, such as /v1/rfq?limit=10');
      if (data !== undefined && typeof data !== 'string') throw invalid('data is the body, as a string');
      return gateway.rest({ method: method.toUpperCase(), path, data }, caller);
    },
  };
}
