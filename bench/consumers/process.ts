import { serve } from '../remote.ts';
import type { ConsumersApi } from './api.ts';
import { Group } from './group.ts';

const group = new Group(process.argv[2] ?? '');

serve<ConsumersApi>({
  connect: (params) => group.connect(params),
  expect: ({ next, timed }) => group.expect(next, timed),
  finish: ({ last, quietMs }) => group.finish(last, quietMs),
  reached: () => group.reached,
  resume: () => group.resume(),
  disconnect: () => group.disconnect(),
});
