// Prints what a CommonJS program gets.

let outcome;
try {
  outcome = { exports: Object.keys(require('qrvey-auth')).sort() };
} catch ({ code }) {
  outcome = { code };
}
console.log(JSON.stringify(outcome));
