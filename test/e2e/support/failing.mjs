/*
 * Loaded into a daemon with `node --import`: on SIGUSR2 something fails inside it that nothing is made to survive, of
 * the kind that FAILURE_KIND names. SECRET is quoted by what fails.
 */
const { FAILURE_KIND, SECRET } = process.env;
const failure = (what) => new Error(`${what} failed, and quotes ${SECRET}`);
const random = Math.random;
let isChanceGone = false;

// Taken by figd when it starts. The machines draw from it: the first one that does so then dies.
Math.random = () => {
  if (isChanceGone) throw failure('chance');
  return random();
};

const kinds = {
  exception: () => {
    throw failure('a listener');
  },
  rejection: () => {
    Promise.reject(failure('a promise'));
  },
  machine: () => {
    isChanceGone = true;
  },
  twice: () => {
    setImmediate(kinds.exception);
    setImmediate(kinds.exception);
  },
};
// While it stops, figd gets the signal too.
if (FAILURE_KIND === 'stopping') process.on('SIGTERM', () => setImmediate(kinds.exception));
else process.on('SIGUSR2', kinds[FAILURE_KIND]);
