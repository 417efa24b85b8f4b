import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { ConfigurationError, loadSettings } from '../../src/config/load.ts';
import type { Settings } from '../../src/config/settings.ts';

/** A directory of its own for one test, gone after it. */
export class Workspace {
  readonly directory = mkdtempSync(join(tmpdir(), 'figd-config-'));

  constructor() {
    onTestFinished(() => rmSync(this.directory, { recursive: true, force: true }));
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  write(name: string, text: string, mode = 0o600): string {
    const file = this.path(name);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, text);
    chmodSync(file, mode);
    return file;
  }

  /** Loads a configuration file of this text, shut off from the host: no variables, no file in /etc. */
  load(yaml: string, env: NodeJS.ProcessEnv = {}, flags: Record<string, string> = {}): Settings {
    return loadSettings({ file: this.write('figd.yaml', yaml), env, flags });
  }
}

/** Settings without any file. */
export function loadWithoutFile(env: NodeJS.ProcessEnv = {}, flags: Record<string, string> = {}): Settings {
  return loadSettings({ env, flags, systemFile: '/nonexistent/figd.yaml' });
}

/** The configuration error that `act` throws. */
export function configurationErrorOf(act: () => unknown): ConfigurationError {
  try {
    act();
  } catch (error) {
    if (error instanceof ConfigurationError) {
      return error;
    }
    throw error;
  }
  throw new Error('expected a ConfigurationError, and nothing was thrown');
}

/** The lines of the configuration error that `act` throws. */
export function problemLines(act: () => unknown): string[] {
  return configurationErrorOf(act).message.split('\n');
}
