/** Just enough of a tokeniser to set this page's listings: comments, strings, keywords, names. */
import { element } from './dom.js';

const grammars = {
  js: /(?<comment>\/\/[^\n]*)|(?<string>'[^']*'|"[^"]*")|(?<keyword>\b(?:import|export|from|const|await|function|return)\b|<\/?[A-Z]\w*|\/>)|(?<call>\b\w+(?=\())/g,
  html: /(?<comment><!--.*?-->)|(?<string>"[^"]*"|'[^']*')|(?<keyword><\/?[\w-]+|\/?>)/g,
  toml: /(?<comment>#[^\n]*)|(?<string>"[^"]*")|(?<keyword>^\[+[^\]]+\]+)|(?<call>\{ claim = "[^"]*" \})/gm,
  json: /(?<call>"[^"]*"(?=:))|(?<string>"[^"]*")/g,
};

/** The text as nodes, coloured by class. */
export function highlight(language, text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(grammars[language])) {
    const [kind] = Object.entries(match.groups).find(([, value]) => value !== undefined);
    nodes.push(text.slice(end, match.index), element('span', { class: `code-${kind}` }, match[0]));
    end = match.index + match[0].length;
  }
  return [...nodes, text.slice(end)];
}
