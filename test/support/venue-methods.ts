import type { MethodNames } from '../../src/config/settings.ts';

/** What the venue calls its methods, as documented. */
export const venueMethods: MethodNames = {
  auth: 'auth',
  refresh: 'auth/refresh',
  heartbeat: 'heartbeat',
  subscribe: 'v1/subscribe',
  unsubscribe: 'v1/unsubscribe',
};
