// Hands a report over as JSON in KIT_REPORT: a file appears whole. A FIFO is held open until the process has ended,
// so whoever reads it learns of the end too.
import { openSync, renameSync, statSync, writeFileSync } from 'node:fs';

const path = process.env.KIT_REPORT;
const fifo = path && statSync(path, { throwIfNoEntry: false })?.isFIFO() ? openSync(path, 'w') : undefined;

export function hand(report) {
  const text = JSON.stringify(report, null, 2);
  if (fifo !== undefined) writeFileSync(fifo, text);
  else if (path) {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  }
}
