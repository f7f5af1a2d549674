/** Whether a text fits a pattern. Each `*` stands for any text, also for none. A `*` cannot be escaped. */
export function fitsWildcard(pattern: string, text: string): boolean {
  const [head = '', ...between] = pattern.split('*')
  const tail = between.pop()
  if (tail === undefined) return text === pattern
  if (!text.startsWith(head)) return false
  let end = head.length
  for (const piece of between) {
    // The leftmost match leaves the most text for the following pieces.
    const start = text.indexOf(piece, end)
    if (start < 0) return false
    end = start + piece.length
  }
  return end + tail.length <= text.length && text.endsWith(tail)
}
