// A small tokenizer of TypeScript: enough to tell code from comments, strings, templates and regular expressions, so
// that the tidy rules never trip over a word in a text. It knows no grammar beyond that.
// TypeScript 7 offers no stable parser to JavaScript, and a second compiler only for this would be a heavy guest.

export type TokenKind = 'word' | 'number' | 'string' | 'template' | 'regex' | 'punct' | 'comment'

export type Token = {
  readonly kind: TokenKind
  /** As written; a string without its quotes. */
  readonly text: string
  /** From 1. */
  readonly line: number
  /** Nothing but space stands before it on its line. */
  readonly isFirst: boolean
}

/** Words after which a slash begins a regular expression. */
const BEFORE_REGEX = new Set('return typeof case in of delete void throw new else do await yield instanceof'.split(' '))
const WORD = /[\p{ID_Start}$_#@][\p{ID_Continue}$\u200c\u200d]*/uy
const NUMBER = /\d[\w.]*/y
const PUNCT = /\?\.(?!\d)|\.\.\.|=>|\+\+|--|[^\s]/uy
const LINE_COMMENT = /\/\/[^\n]*/y
const BLOCK_COMMENT = /\/\*[\s\S]*?(?:\*\/|$)/y
const STRING = /'(?:\\[\s\S]|[^'\\\n])*'?|"(?:\\[\s\S]|[^"\\\n])*"?/y
const REGEX = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/\w*/y
/** The text of a template up to its end or to the next `${`. */
const TEMPLATE = /(?:\\[\s\S]|\$(?!\{)|[^`\\$])*(?:`|\$\{|$)/y

/** Every token in order, comments included. Broken text gives odd tokens, never a throw or a hang. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  /** One entry for each open `${`: how many braces are open inside it. */
  const holes: number[] = []
  let at = source.startsWith('#!') ? lineEnd(source, 0) : 0
  let line = 1
  let isFirst = true

  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    return pattern.exec(source)?.[0]
  }
  const push = (kind: TokenKind, raw: string, text: string = raw): void => {
    tokens.push({ kind, text, line, isFirst })
    isFirst = false
    at += raw.length
    for (const char of raw) if (char === '\n') line += 1
  }
  const pushTemplate = (opening: number): void => {
    at += opening
    const raw = take(TEMPLATE) ?? ''
    push('template', raw, raw.replace(/`$|\$\{$/, ''))
    if (raw.endsWith('${')) holes.push(0)
  }

  while (at < source.length) {
    const char = source[at]!
    if (char === '\n') {
      line += 1
      at += 1
      isFirst = true
    } else if (/\s/.test(char)) {
      at += 1
    } else if (char === '/' && source[at + 1] === '/') {
      push('comment', take(LINE_COMMENT)!)
    } else if (char === '/' && source[at + 1] === '*') {
      push('comment', take(BLOCK_COMMENT)!)
    } else if (char === "'" || char === '"') {
      const raw = take(STRING)!
      push('string', raw, raw.slice(1, -1))
    } else if (char === '`') {
      pushTemplate(1)
    } else if (char === '}' && holes.at(-1) === 0) {
      holes.pop()
      pushTemplate(1)
    } else if (char === '/' && regexMayFollow(tokens) && take(REGEX) !== undefined) {
      push('regex', take(REGEX)!)
    } else if (take(NUMBER) !== undefined) {
      push('number', take(NUMBER)!)
    } else if (take(WORD) !== undefined) {
      push('word', take(WORD)!)
    } else {
      if (char === '{' && holes.length > 0) holes[holes.length - 1]! += 1
      if (char === '}' && holes.length > 0) holes[holes.length - 1]! -= 1
      push('punct', take(PUNCT)!)
    }
  }
  return tokens
}

function regexMayFollow(tokens: readonly Token[]): boolean {
  const last = tokens.findLast((token) => token.kind !== 'comment')
  if (last === undefined) return true
  if (last.kind === 'word') return BEFORE_REGEX.has(last.text)
  return last.kind === 'punct' && !/^(?:\)|\]|\}|\+\+|--)$/.test(last.text)
}

function lineEnd(source: string, from: number): number {
  const end = source.indexOf('\n', from)
  return end === -1 ? source.length : end
}
