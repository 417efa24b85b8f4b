import { type Failure, failureOf } from '../protocol/failure.ts';

/** Why a promise that a chart awaited was broken, as a parameter of its actions and guards. */
export const ofFailure = ({ event }: { event: { error: unknown } }): { failure: Failure } => ({
  failure: failureOf(event.error),
});
