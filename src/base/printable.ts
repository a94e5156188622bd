// Text of strangers, made fit for one line of a log or a terminal: a name may hold line ends, and escapes that move the cursor.

/** Control characters, ends of lines and paragraphs, what turns the direction of writing, and halves of characters. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** The same text, with each of those written as `\\u{...}`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`)
}
