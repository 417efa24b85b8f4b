import { promisesKept } from './seeds.ts';

promisesKept(4);
