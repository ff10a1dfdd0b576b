/** What `crates/xtask/src/embed.rs` wrote: a character for each byte, 0 and 31 in each other's place. */
export function bytes(text) {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) {
    const code = text.charCodeAt(i);
    bytes[i] = code === 0 || code === 31 ? 31 - code : code;
  }
  return bytes;
}
