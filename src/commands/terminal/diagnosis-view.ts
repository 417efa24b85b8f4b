import { stringify } from 'yaml';
import type { DiagnosisDocument } from '../../protocol/diagnosis.ts';
import { printable } from './style.ts';

/** The dump for people, as YAML: it is long, and whoever reads it searches. Ends with a line feed. */
export function diagnosisView(document: DiagnosisDocument): string {
  return stringify(document, { lineWidth: 0 }).split('\n').map(printable).join('\n');
}
