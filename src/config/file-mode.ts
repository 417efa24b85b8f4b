/** What is wrong with the mode of a file that holds a secret, and the command that mends it. */
export interface ModeFault {
  readonly problem: string;
  readonly advice: string;
}

/** The fault of a file's mode when users outside its owner and group have any permission on it. */
export function openToOthers(file: string, mode: number): ModeFault | undefined {
  if ((mode & 0o007) === 0) {
    return undefined;
  }
  const octal = (mode & 0o7777).toString(8).padStart(4, '0');
  return {
    problem: `${file} has mode ${octal}, with which every user of the host may open it`,
    advice: `chmod 600 ${file}`,
  };
}
