import type { ControlMethod } from '../adapters/local-server.ts';
import type { DiagnosisDocument } from '../protocol/diagnosis.ts';
import { parseCall, parseRest, refuseAll } from '../protocol/local-requests.ts';
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
    rest: (params, caller) => gateway.rest(parseRest(params), caller),
    ...withoutParameters({
      reconnect: () => ({ accepted: true, detail: wishes.reconnect() }),
      rotate: () => ({ accepted: true, detail: wishes.rotate() }),
      refresh: () => ({ accepted: true, detail: wishes.refresh() }),
      reload,
      consumers,
      debug,
    }),
  };
}

function withoutParameters(methods: Readonly<Record<string, () => unknown>>): Readonly<Record<string, ControlMethod>> {
  const guarded = Object.entries(methods).map(([name, run]): [string, ControlMethod] => [
    name,
    (params) => {
      refuseAll(name, params);
      return run();
    },
  ]);
  return Object.fromEntries(guarded);
}
