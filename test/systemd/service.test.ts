import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OutageDocument } from '../../src/commands/terminal/outages-view.ts';
import { accessTokenPrefix, refreshTokenPrefix } from '../../src/simulator/tokens.ts';
import { ReturningConsumer, Told } from '../e2e/support/returning-consumer.ts';
import { until } from '../support/until.ts';
import { Container, canBoot } from './container.ts';
import { quickPackage } from './package.ts';

/** What nobody may ever see outside of figd. */
const canary = 'canary-of-the-client-secret';
const rotated = 'canary-of-the-secret-after-that';
const versions = ['0.1.0', '0.1.1'];
/** An odd number: the last one is to the newer version. */
const upgrades = Number(process.env['FIGD_TEST_UPGRADES'] ?? 3);
/** Two processes of one host may differ so much about a moment. */
const slackMs = 100;
/** A line of what the venue says that it has sent. */
interface SentRecord {
  readonly sentAt: number;
  readonly frame: string;
}

const say = (what: string) => process.stdout.write(`  ${what}\n`);

describe.skipIf(!canBoot())('figd, installed on a Debian that was booted', () => {
  const shared = mkdtempSync(join(tmpdir(), 'figd-systemd-'));
  let packages: readonly string[];
  let host: Container;

  beforeAll(async () => {
    packages = versions.map((version) => `/mnt/${basename(quickPackage(shared, '--version', version))}`);
    writeFileSync(join(shared, 'client-secret'), `${canary}\n`);
    writeFileSync(join(shared, 'rotated-secret'), `${rotated}\n`);
    host = await Container.boot(shared);
  });
  afterAll(async () => {
    await host?.[Symbol.asyncDispose]();
    rmSync(shared, { recursive: true });
  });

  /** A property of a unit, as systemd has it. */
  const show = (property: string, unit = 'figd.service') => host.succeed(`systemctl show -P ${property} ${unit}`);
  const pid = () => show('MainPID');
  const live = () => host.succeed('figd wait --for live --timeout 60s');
  let venues = 0;
  /** Runs the venue, in the place of the one before. */
  const openVenue = async (secretFile: string, rate: number) => {
    venues += 1;
    await host.run('systemctl stop venue; mkdir -p /var/tmp/sent');
    await host.succeed(
      `systemd-run --quiet --unit venue --property LoadCredential=secret:${secretFile} sh -c 'exec figd simulate --port 7464 --rate ${rate} --client-id canary-id --client-secret-file "$CREDENTIALS_DIRECTORY/secret" --sent-log /var/tmp/sent/${venues}.ndjson'`,
    );
    await host.prints('journalctl --unit venue --output cat --since -1min', /"port":7464/);
  };

  it('installs, and neither starts nor fails without credentials', async () => {
    say(await host.succeed(`dpkg --install ${packages[0]}`));
    expect(await show('ActiveState')).toBe('inactive');
    expect((await host.run('systemctl start figd.service')).code).not.toBe(0);
    expect(await show('ActiveState')).toBe('failed');
    expect(await host.succeed('journalctl --unit figd --output cat')).toMatch(/credential/i);
    await host.succeed('systemctl stop figd.socket; systemctl reset-failed');
  });

  it('runs the demo without Node, configuration or credentials', async () => {
    expect((await host.run('command -v node')).code).not.toBe(0);
    const shown = await host.succeed('setpriv --reuid nobody --clear-groups figd demo --calm --seconds 5');
    expect(JSON.parse(shown.split('\n').at(-1) ?? '')).toMatchObject({ demo: 'summary', lost: 0, doubled: 0 });
  });

  it('is ready when `systemctl start` returns, and goes live', async () => {
    await openVenue('/mnt/client-secret', 20);
    await host.succeed(`
      echo canary-id | install -m 600 /dev/stdin /etc/figd/client-id
      install -m 600 /mnt/client-secret /etc/figd/client-secret
      sed -i 's|^  environment:.*|  restUrl: http://127.0.0.1:7464|' /etc/figd/figd.yaml
      systemctl enable --quiet figd
      systemctl start figd`);
    expect((await host.run('figd status')).code).toBeLessThanOrEqual(2);
    await live();
    await host.prints('systemctl show -P StatusText figd', /^live: /);
    say(await host.succeed('systemctl status --no-pager figd'));
  });

  it('answers `figd status` in a quarter of a second', async () => {
    const times: number[] = [];
    for (let round = 0; round < 9; round += 1) {
      times.push(Number(await host.succeed(`bash -c 'TIMEFORMAT=%R; { time figd status > /dev/null; } 2>&1'`)));
    }
    say(`figd status: ${times.join(', ')} s`);
    expect(Math.min(...times)).toBeLessThan(0.25);
  });

  it('is checked from outside with the credentials that systemd hands out', async () => {
    const loaded = ['client-id', 'client-secret'].map((name) => `--property LoadCredential=${name}:/etc/figd/${name}`);
    const checked = await host.run(
      `systemd-run --pipe --wait --quiet --property User=figd ${loaded.join(' ')} figd check`,
    );
    say(checked.stdout);
    expect(checked.stdout).toMatch(/^ok +subscriptions/m);
  });

  it('has as few rights in the running system as in its unit file', async () => {
    const counted = await host.succeed('systemd-analyze security --no-pager figd.service');
    say(counted.split('\n').at(-1) ?? '');
    const exposure = /Overall exposure level for figd.service: ([\d.]+)/.exec(counted)?.[1];
    expect(Number(exposure)).toBeLessThanOrEqual(1.5);
    const units = ['figd.service', 'figd.socket', 'figd@x.service', 'figd@x.socket'];
    expect(await host.run(`systemd-analyze verify --man=no ${units.join(' ')}`)).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });

  it('can write nowhere but where it has to', async () => {
    // As the user of figd, who may just look into the file system as figd has it: no program can be started in there.
    const look = '--inh-caps +sys_ptrace --ambient-caps +sys_ptrace --reuid figd --regid figd --clear-groups';
    const root = `/proc/${await pid()}/root`;
    const { stdout, stderr } = await host.run(
      `setpriv ${look} find ${root}/ -path ${root}/proc -prune -o -writable ! -type l -print`,
    );
    expect(stderr.split('\n').filter((line) => line !== '' && !line.endsWith(': Permission denied'))).toEqual([]);
    const found = stdout
      .trim()
      .split('\n')
      .map((path) => path.slice(root.length));
    expect(found).toEqual(expect.arrayContaining(['/var/lib/figd', '/run/figd']));
    const own =
      /^\/(run\/figd|var\/lib\/figd|tmp|var\/tmp|dev\/(null|zero|full|random|urandom|tty|ptmx|pts|shm|mqueue))(\/|$)/;
    // Sockets that every user may write to, in order to be heard.
    const others = /^\/run\/(systemd\/|dbus\/system_bus_socket$)/;
    expect(found.filter((path) => !own.test(path) && !others.test(path))).toEqual([]);
  });

  it('lets the group read events, and nobody but its user control it', async () => {
    await host.succeed('useradd --groups figd reader; useradd stranger');
    const as = (user: string, command: string) => host.run(`runuser -u ${user} -- ${command}`);
    expect((await as('reader', 'figd tail --count 1')).code).toBe(0);
    expect((await as('reader', 'figd reconnect')).code).not.toBe(0);
    expect((await as('stranger', 'figd tail --count 1')).code).not.toBe(0);
    expect((await as('stranger', 'figd reconnect')).code).not.toBe(0);
    expect(await host.succeed('stat -c "%U:%G %a %n" /run/figd/*.sock /var/lib/figd')).toBe(
      'figd:figd 600 /run/figd/control.sock\nfigd:figd 660 /run/figd/events.sock\nfigd:figd 700 /var/lib/figd',
    );
    for (const user of ['reader', 'stranger']) {
      expect((await as(user, 'cat /var/lib/figd/journal.db')).code).not.toBe(0);
    }
  });

  it('reloads without losing its session', async () => {
    const before = await pid();
    const { session } = JSON.parse(await host.succeed('figd status --json'));
    await host.succeed("echo 'log: { level: debug }' >> /etc/figd/figd.yaml; systemctl reload figd");
    await host.prints('journalctl --unit figd --output cat', /configuration reloaded: .*log/);
    await live();
    expect(await pid()).toBe(before);
    expect(JSON.parse(await host.succeed('figd status --json')).session.id).toBe(session.id);
    // One that is wrong is refused in words, and changes nothing.
    await host.succeed("cp /etc/figd/figd.yaml /var/tmp; echo 'nonsense: 1' >> /etc/figd/figd.yaml");
    expect((await host.run('systemctl reload figd')).code).not.toBe(0);
    await host.prints('journalctl --unit figd --output cat', /nonsense/);
    await host.succeed('cp /var/tmp/figd.yaml /etc/figd; systemctl reload figd');
    expect(await pid()).toBe(before);
  });

  describe('under 500 events a second, with three consumers that come back', () => {
    let told: Told;
    let consumers: readonly ReturningConsumer[];

    beforeAll(async () => {
      await openVenue('/etc/figd/client-secret', 500);
      await live();
    });
    beforeEach(() => {
      told = new Told();
      const path = host.path('/run/figd/events.sock');
      consumers = [0, 1, 2].map(() => new ReturningConsumer({ path, told }));
      return () => {
        for (const consumer of consumers) consumer[Symbol.dispose]();
      };
    });
    const hear = (count: number) =>
      until(`${count} events for each`, () => consumers.every(({ received }) => received >= count), 60_000);
    /** All of them are where the daemon is. */
    const catchUp = async () => {
      const { journal } = JSON.parse((await host.run('figd status --json')).stdout);
      await until('everybody to catch up', () => consumers.every(({ next }) => next > journal.head), 60_000);
    };
    /** What the venue sent and nobody was told, but for what it sent into a gap; and what was told twice. */
    const compare = async () => {
      // In this order: more is sent meanwhile, and what was sent last may be on its way.
      const end = Date.now() - 1_000;
      const texts = [...told.lines.values()].flatMap((lines) => [...lines.values()]);
      const sent = (await host.succeed('cat /var/tmp/sent/*')).split('\n');
      const { gaps } = JSON.parse(await host.succeed('figd outages --json')) as OutageDocument;
      const got = new Map<string, number>();
      for (const text of texts.filter((each) => !each.includes('"channel":"figd.'))) {
        const frame = text.slice(text.indexOf('"message":') + '"message":'.length, -2);
        got.set(frame, (got.get(frame) ?? 0) + 1);
      }
      const first = Math.min(...texts.map((text) => JSON.parse(text).params.receivedAt));
      const missing: SentRecord[] = [];
      for (const line of sent) {
        const record = JSON.parse(line) as SentRecord;
        const left = got.get(record.frame) ?? 0;
        if (left > 0) got.set(record.frame, left - 1);
        else missing.push(record);
      }
      const isInGap = ({ sentAt }: SentRecord) =>
        gaps.some(({ since, until: till }) => sentAt >= since - slackMs && sentAt <= (till ?? sentAt) + slackMs);
      const lost = missing.filter(
        (record) => record.sentAt > first + slackMs && record.sentAt < end && !isInGap(record),
      );
      const twice = [...got.values()].filter((left) => left > 0).length;
      // With the gaps, to see at once which it was next to.
      return { sent: sent.length, told: texts.length, twice, lost: lost.length === 0 ? [] : [...lost, ...gaps] };
    };

    it(`is upgraded ${upgrades} times without losing or doubling an event`, {
      timeout: 60_000 * upgrades,
    }, async () => {
      for (let upgrade = 1; upgrade <= upgrades; upgrade += 1) {
        await hear(1_000);
        const before = await pid();
        const version = versions[upgrade % 2] ?? '';
        await host.succeed(`dpkg --install ${packages[upgrade % 2]}`);
        await live();
        expect(await pid()).not.toBe(before);
        expect(await host.succeed('dpkg --status figd')).toContain(`Version: ${version}`);
      }
      await hear(1_000);
      await catchUp();
      const account = await compare();
      say(JSON.stringify(account));
      expect(account).toMatchObject({ lost: [], twice: 0 });
      expect(told.faults).toEqual([]);
      expect(consumers.flatMap(({ lost, unresumed }) => [...lost, ...unresumed])).toEqual([]);
      expect(told.lines.size).toBe(1);
    });

    it('comes back from kill -9, and tells what that has cost', async () => {
      await hear(1_000);
      await host.succeed('systemctl kill --signal=KILL figd');
      await host.prints('systemctl show -P NRestarts figd', /^[1-9]/);
      await live();
      await hear(1_000);
      await catchUp();
      const { twice } = await compare();
      expect([told.faults, twice, told.lines.size]).toEqual([[], 0, 1]);
      const lost = consumers.flatMap((consumer) => [...consumer.lost]);
      expect(lost.filter(({ reason }) => reason !== 'crash')).toEqual([]);
      say(`told as lost by each of the three: ${JSON.stringify(lost.map(({ from, to }) => to - from + 1))}`);
    });

    it('is ended by the watchdog when it hangs, and started again', async () => {
      await host.succeed(`
        mkdir -p /run/systemd/system/figd.service.d
        printf '[Service]\\nWatchdogSec=3\\n' > /run/systemd/system/figd.service.d/soon.conf
        systemctl daemon-reload
        systemctl restart figd`);
      await live();
      const before = await pid();
      // It is fed: it outlives the time in which it has to be.
      await new Promise((resolve) => setTimeout(resolve, 7_000));
      expect(await pid()).toBe(before);
      await host.succeed(`kill -STOP ${before}`);
      await host.prints('journalctl --unit figd --output cat', /Watchdog timeout/, 30_000);
      await live();
      expect(await pid()).not.toBe(before);
      await host.succeed('rm -r /run/systemd/system/figd.service.d; systemctl daemon-reload; systemctl restart figd');
      await live();
    });

    it('goes on when the disk is full, says so, and writes again when it is not', async () => {
      await host.succeed(`
        systemctl stop figd.socket figd
        mount -t tmpfs -o size=300m,mode=700,uid=figd,gid=figd tmpfs /var/lib/figd
        systemctl start figd`);
      await live();
      await host.run('dd if=/dev/zero of=/var/lib/figd/filler bs=1M; dd if=/dev/zero of=/var/lib/figd/rest bs=1k');
      await host.prints('figd status', /disk|written|space|kept/i, 60_000);
      say((await host.run('figd status')).stdout);
      const heard = consumers.map(({ received }) => received);
      await until(
        'events all the same',
        () => consumers.every(({ received }, index) => received > (heard[index] ?? 0) + 500),
        30_000,
      );
      await host.succeed('rm /var/lib/figd/filler /var/lib/figd/rest');
      await live();
      await host.succeed('systemctl stop figd.socket figd; umount /var/lib/figd; systemctl start figd');
      await live();
    });

    it('stops within five seconds', async () => {
      await hear(500);
      const startedAt = performance.now();
      await host.succeed('systemctl stop figd.service');
      say(`stopped in ${((performance.now() - startedAt) / 1_000).toFixed(2)} s`);
      expect(performance.now() - startedAt).toBeLessThan(5_000);
      expect(await show('Result')).toBe('success');
    });

    it('is started by whoever connects, who is not refused meanwhile', async () => {
      await hear(100);
      await host.prints('systemctl show -P ActiveState figd', /^active/);
    });
  });

  it('takes a credential that was rotated', async () => {
    await openVenue('/mnt/rotated-secret', 20);
    await host.prints('figd status', /blocked/, 60_000);
    await host.succeed(`
      install -m 600 /mnt/rotated-secret /etc/figd/client-secret
      mkdir -p /run/systemd/system/figd.service.d
      printf '[Service]\\nEnvironment=FIGD_LOG__LEVEL=trace\\n' > /run/systemd/system/figd.service.d/verbose.conf
      systemctl daemon-reload
      systemctl restart figd`);
    await live();
  });

  it('runs for two accounts side by side', async () => {
    await host.succeed(`
      mkdir -p /etc/figd/second
      cp /etc/figd/client-* /etc/figd/second
      sed 's|/figd$|/figd-second|' /etc/figd/figd.yaml > /etc/figd/second.yaml
      echo 'metrics: { listen: 127.0.0.1:9465 }' >> /etc/figd/second.yaml
      systemctl start figd@second
      figd wait --config /etc/figd/second.yaml --for live --timeout 60s`);
    expect(await show('MainPID', 'figd@second')).not.toBe(await pid());
    await live();
    await host.succeed('systemctl stop figd@second.socket figd@second');
  });

  it('has shown its secrets nowhere, at the most verbose level, and not in its diagnostic dump', async () => {
    const main = await pid();
    await host.succeed('figd refresh; figd rotate; systemctl kill --signal=QUIT figd');
    await host.prints('journalctl --unit figd --output cat', /"level":"trace"/);
    await host.prints('journalctl --unit figd --output cat', /diagnostic dump/);
    const places = {
      journal: 'journalctl --no-pager --output verbose',
      unit: 'systemctl show figd.service figd.socket',
      environment: `tr '\\0' '\\n' < /proc/${main}/environ`,
      arguments: `tr '\\0' ' ' < /proc/${main}/cmdline`,
      status: 'figd status --json',
      dump: 'figd status --debug',
      state: 'cat /var/lib/figd/*',
    };
    for (const [place, script] of Object.entries(places)) {
      expect(Number(await host.succeed(`${script} | wc --bytes`)), place).toBeGreaterThan(10);
      for (const secret of [canary, rotated, accessTokenPrefix, refreshTokenPrefix]) {
        expect((await host.run(`${script} | grep --text --count ${secret}`)).stdout.trim(), place).toBe('0');
      }
    }
    // The search would have found it.
    expect(
      await host.succeed(
        `grep --text --count ${rotated} /proc/${main}/root/run/credentials/figd.service/client-secret`,
      ),
    ).toBe('1');
  });

  it('goes when it is removed, and everything of it when it is purged', async () => {
    await host.succeed('dpkg --remove figd');
    expect(await host.succeed('systemctl is-active figd figd.socket || true; ls /etc/figd /var/lib/figd')).toContain(
      'journal.db',
    );
    await host.succeed('dpkg --purge figd');
    expect((await host.run('ls -d /etc/figd /var/lib/figd /run/figd /usr/bin/figd /usr/share/figd')).stdout).toBe('');
    expect((await host.run('find /etc/systemd -name "figd*"')).stdout).toBe('');
  });
});
