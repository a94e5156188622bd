// The titles of the tests in a source: what a test runner, or a helper of ours that hands it on, is given as a name. Of a template the
// text before its first hole. A text in a comment, or within another text, is none.
import { tokenize } from './tokens.ts'

const NAMES_A_TEST: ReadonlySet<string> = new Set([
  'test',
  'it',
  'describe',
  'interopTest',
  'netnsTest',
  'differenceTest',
  'step',
  'title',
  'property',
])

/** In the order in which they stand. */
export function titlesIn(source: string): string[] {
  const tokens = tokenize(source).filter(({ kind }) => kind !== 'comment')
  return tokens.flatMap(({ kind, text }, at) => {
    const before = tokens[at - 2]
    if (before === undefined || !NAMES_A_TEST.has(before.text)) return []
    if (kind === 'string') return [text.replaceAll("\\'", "'")]
    return kind === 'template' ? [text.replace(/^`/, '').replace(/(?:`|\$\{)$/, '')] : []
  })
}
