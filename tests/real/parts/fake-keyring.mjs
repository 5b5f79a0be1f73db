// A Secret Service (org.freedesktop.secrets) on the session bus, in memory, for the faults that
// gnome-keyring does not commit. It knows the session "plain" and one collection, the default one.
//
//   node fake-keyring.mjs FAULT    one line of JSON on stdout when ready; ends when stdin closes or on SIGTERM
//   ITEM='{"service":"loopin"}'    attributes of an item, with the secret "kept", there from the start
//
// keyring/with-keyring has a bus for it (modes "absent" and "fake:FAULT"). FAULT is one of:
const faults = {
  'none': 'behaves well',
  'lies': 'accepts every secret and keeps none',
  'keeps-old': 'accepts every secret, but an item keeps its first one',
  'alters': 'gives back the secret with its middle byte changed (the lowest bit)',
  'hangs': 'has the name, but never replies',
  'hangs-on-write': 'CreateItem and SetSecret never get a reply',
  'dismissed': 'locked; the prompt is dismissed at once',
  'prompts-for-ever': 'locked; the prompt never completes',
  'limit': 'refuses a secret over 2560 bytes',
  'limits-exceeded': 'every second call of a method of Service fails (counted over all clients)',
  'vanishes': 'leaves the bus upon the second CreateItem or SetSecret, before replying',
  'strangers': 'after two writes refuses the first call of every caller as unknown, and ends if that was OpenSession',
  'no-default': 'the collection is there but is not the default one',
};
import { Message, NameFlag, RequestNameReply, Variant, sessionBus } from '@jellybrick/dbus-next';

const fault = process.argv[2];
if (!Object.hasOwn(faults, fault) || process.argv.length > 3) {
  console.error('usage: node fake-keyring.mjs FAULT');
  for (const [name, text] of Object.entries(faults)) console.error(`  ${name.padEnd(18)}${text}`);
  process.exit(2);
}
if (!process.env.DBUS_SESSION_BUS_ADDRESS) throw new Error('DBUS_SESSION_BUS_ADDRESS is not set');

const name = 'org.freedesktop.secrets';
const root = '/org/freedesktop/secrets';
const kind = { service: 'org.freedesktop.Secret.Service', collection: 'org.freedesktop.Secret.Collection',
  item: 'org.freedesktop.Secret.Item', session: 'org.freedesktop.Secret.Session', prompt: 'org.freedesktop.Secret.Prompt' };
const properties = 'org.freedesktop.DBus.Properties';
const nothing = '/'; // what the Secret Service says for "no object" and "no prompt"
const locks = fault === 'dismissed' || fault === 'prompts-for-ever';
const now = () => BigInt(Math.floor(Date.now() / 1000));

class Refusal extends Error {
  constructor(error, text) { super(text); this.error = error; }
}
const refuse = (error, text) => { throw new Refusal(`org.freedesktop.${error}`, text); };

// Everything on the bus, by path. The names of errors and their texts are gnome-keyring's.
let numbers = 0;
const collection = {
  kind: kind.collection, path: `${root}/collection/login`, label: 'Login', created: now(), modified: now(),
  locked: locks,
};
const objects = new Map([[root, { kind: kind.service }], [collection.path, collection]]);
if (fault !== 'no-default') objects.set(`${root}/aliases/default`, collection);
const add = (path, object) => objects.set(path, { path, ...object }).get(path);
const items = () => [...objects.values()].filter((object) => object.kind === kind.item);
const matching = (wanted) => items()
  .filter(({ attributes }) => Object.entries(wanted).every(([key, value]) => attributes[key] === value));
const paths = (list) => list.map(({ path }) => path);

const addItem = (label, attributes, value, type) => add(`${collection.path}/${++numbers}`, {
  kind: kind.item, label, attributes, value, type, created: now(), modified: now(),
});
if (process.env.ITEM) addItem('kit', JSON.parse(process.env.ITEM), Buffer.from('kept'), 'text/plain');

function unlocked(what) {
  if (collection.locked) refuse('Secret.Error.IsLocked', `Cannot ${what}`);
}
function session(path) {
  if (objects.get(path)?.kind !== kind.session) refuse('Secret.Error.NoSession', 'The session does not exist');
}
function read({ value, type }, path) {
  const given = Buffer.from(value);
  if (fault === 'alters' && given.length) given[given.length >> 1] ^= 1;
  return [path, Buffer.alloc(0), given, type];
}
function checked([path, , value, type]) {
  session(path);
  if (fault === 'limit' && value.length > 2560) refuse('DBus.Error.Failed', 'The secret is longer than 2560 bytes');
  return [Buffer.from(value), type];
}
function overwrite(item, value, type) {
  if (fault === 'lies' || fault === 'keeps-old') return;
  Object.assign(item, { value, type, modified: now() });
}

// Methods by interface: what they return goes out with the signature beside them.
const methods = {
  [kind.service]: {
    OpenSession: ['vo', (_, algorithm) => {
      if (algorithm !== 'plain') refuse('DBus.Error.NotSupported', `The algorithm '${algorithm}' is not supported`);
      return [new Variant('s', ''), add(`${root}/session/s${++numbers}`, { kind: kind.session }).path];
    }],
    CreateCollection: ['oo', () => refuse('DBus.Error.NotSupported', 'No collection can be created')],
    SearchItems: ['aoao', (_, wanted) => {
      const found = paths(matching(wanted));
      return collection.locked ? [[], found] : [found, []];
    }],
    Unlock: ['aoo', (_, wanted) => {
      if (locks) return [[], add(`${root}/prompt/p${++numbers}`, { kind: kind.prompt }).path];
      collection.locked = false;
      return [wanted, nothing];
    }],
    Lock: ['aoo', (_, wanted) => { collection.locked = true; return [wanted, nothing]; }],
    GetSecrets: ['a{o(oayays)}', (_, wanted, path) => {
      session(path);
      const open = collection.locked ? [] : wanted.filter((each) => objects.get(each)?.kind === kind.item);
      return [Object.fromEntries(open.map((each) => [each, read(objects.get(each), path)]))];
    }],
    ReadAlias: ['o', (_, alias) => [objects.get(`${root}/aliases/${alias}`)?.path ?? nothing]],
  },
  [kind.collection]: {
    SearchItems: ['ao', (_, wanted) => [paths(matching(wanted))]],
    CreateItem: ['oo', (_, given, secret, replace) => {
      const [value, type] = checked(secret);
      unlocked('create an item in a locked collection');
      const attributes = given[`${kind.item}.Attributes`]?.value ?? {};
      const size = Object.keys(attributes).length;
      const old = replace && matching(attributes).find((item) => Object.keys(item.attributes).length === size);
      if (old) {
        overwrite(old, value, type);
        return [old.path, nothing];
      }
      const item = addItem(given[`${kind.item}.Label`]?.value ?? '', attributes, value, type);
      if (fault === 'lies') objects.delete(item.path);
      return [item.path, nothing];
    }],
  },
  [kind.item]: {
    Delete: ['o', (item) => { unlocked('delete a locked item'); objects.delete(item.path); return [nothing]; }],
    GetSecret: ['(oayays)', (item, path) => {
      session(path);
      unlocked('get secret of a locked object');
      return [read(item, path)];
    }],
    SetSecret: ['', (item, secret) => {
      const [value, type] = checked(secret);
      unlocked('set secret of a locked item');
      overwrite(item, value, type);
      return [];
    }],
  },
  [kind.session]: {
    Close: ['', ({ path }) => { objects.delete(path); return []; }],
  },
  [kind.prompt]: {
    Prompt: ['', (prompt, _, sender) => {
      if (fault === 'dismissed') setImmediate(completed, prompt.path, sender);
      return [];
    }],
    Dismiss: ['', () => []],
  },
  [properties]: {
    Get: ['v', (object, of, property) => [visible(object, of)[property]
      ?? refuse('DBus.Error.InvalidArgs', `No such property '${property}'`)]],
    GetAll: ['a{sv}', (object, of) => [visible(object, of)]],
    Set: ['', (object, of, property, { value }) => {
      const field = { Label: 'label', Attributes: 'attributes' }[property];
      if (object.kind !== of || !(field in object)) refuse('DBus.Error.InvalidArgs', `Cannot set '${property}'`);
      unlocked('set property on a locked object');
      object[field] = value;
      return [];
    }],
  },
};

function visible(object, of) {
  if (object.kind !== of) return {};
  if (of === kind.service) return { Collections: new Variant('ao', [collection.path]) };
  const common = {
    Label: new Variant('s', object.label), Locked: new Variant('b', collection.locked),
    Created: new Variant('t', object.created), Modified: new Variant('t', object.modified),
  };
  if (of === kind.collection) return { ...common, Items: new Variant('ao', paths(items())) };
  return { ...common, Attributes: new Variant('a{ss}', object.attributes),
    Type: new Variant('s', object.attributes['xdg:schema'] ?? '') };
}

function completed(path, destination) {
  const signal = Message.newSignal(path, kind.prompt, 'Completed', 'bv', [true, new Variant('ao', [])]);
  signal.destination = destination;
  bus.send(signal);
}

let serviceCalls = 0;
let writes = 0;
const met = new Set();
const leave = () => bus.releaseName(name).finally(() => process.exit(0));
function answer(call) {
  if (fault === 'hangs') return;
  if (fault === 'strangers' && writes >= 2 && !met.has(call.sender)) {
    met.add(call.sender);
    if (call.member === 'OpenSession') return leave();
    refuse('DBus.Error.UnknownMethod', `Method ${call.member} is not implemented on interface ${call.interface}`);
  }
  if (call.interface === kind.service && ++serviceCalls % 2 === 0 && fault === 'limits-exceeded') {
    refuse('DBus.Error.LimitsExceeded', 'The maximum number of pending replies per connection has been reached');
  }
  if (call.member === 'CreateItem' || call.member === 'SetSecret') {
    writes += 1;
    if (fault === 'hangs-on-write') return;
    if (fault === 'vanishes' && writes === 2) return leave();
  }
  const object = objects.get(call.path)
    ?? refuse('DBus.Error.UnknownMethod', `Object does not exist at path “${call.path}”`);
  const known = call.interface === object.kind || call.interface === properties;
  const [signature, method] = (known && methods[call.interface][call.member])
    || refuse('DBus.Error.UnknownMethod', `No such method “${call.member}”`);
  bus.send(Message.newMethodReturn(call, signature, method(object, ...call.body, call.sender)));
}

const end = () => process.exit(0);
process.on('SIGTERM', end);
process.stdin.on('end', end).on('error', end).resume();

const bus = sessionBus();
bus.on('error', (error) => { console.error(error); process.exit(1); });
bus.addMethodHandler((call) => {
  try {
    answer(call);
  } catch (error) {
    if (!(error instanceof Refusal)) console.error(error);
    bus.send(Message.newError(call, error.error ?? 'org.freedesktop.DBus.Error.Failed', error.message));
  }
  return true;
});
if (await bus.requestName(name, NameFlag.DO_NOT_QUEUE) !== RequestNameReply.PRIMARY_OWNER) {
  console.error(`${name} is already taken`);
  process.exit(1);
}
process.stdout.write('{"ready":true}\n');
