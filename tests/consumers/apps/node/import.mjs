// Prints what importing the package did to the process.

const globals = () => Reflect.ownKeys(globalThis).map(String);
const used = [];
for (const [holder, name] of [
  [globalThis, 'fetch'],
  [globalThis, 'setTimeout'],
  [globalThis, 'setInterval'],
  [globalThis, 'queueMicrotask'],
  [WebAssembly, 'compile'],
  [WebAssembly, 'instantiate'],
  [WebAssembly, 'Module'],
]) {
  const original = holder[name];
  holder[name] = new Proxy(original, {
    apply: (_, self, given) => used.push(name) && Reflect.apply(original, self, given),
    construct: (_, given) => used.push(name) && Reflect.construct(original, given),
  });
}
const before = { globals: globals(), active: process.getActiveResourcesInfo() };
const exports = Object.keys(await import('qrvey-auth')).sort();
const active = process.getActiveResourcesInfo();
const added = globals().filter((name) => !before.globals.includes(name));
console.log(JSON.stringify({ exports, used, added, active, before: before.active }));
