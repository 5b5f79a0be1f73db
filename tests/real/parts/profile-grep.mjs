// Which files of a browser profile hold a text?
//
//   node profile-grep.mjs DIR NEEDLE      prints a JSON list of paths relative to DIR, sorted
//
// Looks for the bytes as UTF-8 and as UTF-16LE. Compressed blocks are not unpacked, and a text
// that SQLite cut at the end of a page is not found. Exit 0 with or without hits, 2 if DIR is not there.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

const [dir, needle] = process.argv.slice(2);
if (!needle || !existsSync(dir)) { console.error('usage: node profile-grep.mjs DIR NEEDLE'); process.exit(2); }

const forms = [Buffer.from(needle, 'utf8'), Buffer.from(needle, 'utf16le')];
const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
const hits = files.map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  .filter((path) => { const bytes = readFileSync(path); return forms.some((form) => bytes.includes(form)); })
  .map((path) => relative(dir, path));
console.log(JSON.stringify(hits.sort()));
