import { monotonic } from '../monotonic.ts';
import { serve } from '../remote.ts';
import type { FeedApi } from './api.ts';
import { Progress } from './progress.ts';
import { Sending } from './sending.ts';
import { FeedVenue } from './venue.ts';

const venue = new FeedVenue();
const progress = new Progress();
const sending = new Sending(venue, progress);

serve<FeedApi>({
  listen: async ({ progressSocket }) => {
    await progress.listen(progressSocket);
    return { port: await venue.listen() };
  },
  subscribed: async ({ target }) => {
    await venue.connection(target);
  },
  nextNumber: () => sending.nextNumber,
  flatOut: (params) => sending.flatOut(params),
  paced: (params) => sending.paced(params),
  drop: async ({ target }) => {
    const { webSocket } = await venue.connection(target);
    const at = monotonic();
    webSocket.terminate();
    return at;
  },
});
