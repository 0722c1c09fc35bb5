import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'

/**
 * The words themselves, and what only tests show. Names that are the same in every language (units,
 * keys of the keyboard, HTTP methods) do not look like words to the rules below.
 */
const EXCEPTIONS = ['src/strings/', 'src/testing/']

/** Attributes, and properties of options and columns, that people read or hear. */
const SPOKEN = new Set([
  'title',
  'label',
  'aria-label',
  'alt',
  'placeholder',
  'description',
  'action',
  'content',
  'eyebrow',
  'hint',
  'note',
])
const WORD = /\p{L}{2}/u
/** Classes, keys and media queries begin small and errors for programmers are left out below. */
const SENTENCE = /^\p{Lu}.*\s\S/su

const isText = (node: ts.Node): node is ts.LiteralLikeNode =>
  ts.isStringLiteral(node) ||
  ts.isNoSubstitutionTemplateLiteral(node) ||
  ts.isTemplateHead(node) ||
  ts.isTemplateMiddleOrTemplateTail(node)

/** The texts that an expression can come to: through choices, defaults, sums and templates. */
function listOutcomes(node: ts.Expression | undefined): string[] {
  if (!node) return []
  if (isText(node)) return [node.text]
  if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node)) {
    return listOutcomes(node.expression)
  }
  if (ts.isConditionalExpression(node)) {
    return [...listOutcomes(node.whenTrue), ...listOutcomes(node.whenFalse)]
  }
  if (ts.isTemplateExpression(node)) {
    const spans = node.templateSpans.flatMap((span) => [
      ...listOutcomes(span.expression),
      span.literal.text,
    ])
    return [node.head.text, ...spans]
  }
  if (ts.isBinaryExpression(node)) {
    switch (node.operatorToken.kind) {
      case ts.SyntaxKind.AmpersandAmpersandToken:
        return listOutcomes(node.right)
      case ts.SyntaxKind.BarBarToken:
      case ts.SyntaxKind.QuestionQuestionToken:
      case ts.SyntaxKind.PlusToken:
        return [...listOutcomes(node.left), ...listOutcomes(node.right)]
    }
  }
  return []
}

/** What people read or hear of a node by itself, whatever is within it. */
function listSpoken(node: ts.Node): string[] {
  if (ts.isJsxText(node)) return [node.text.trim()]
  if (ts.isJsxAttribute(node)) {
    const { initializer } = node
    if (!initializer || !SPOKEN.has(node.name.getText())) return []
    return listOutcomes(
      ts.isJsxExpression(initializer) ? initializer.expression : asText(initializer),
    )
  }
  if (ts.isJsxExpression(node) && !ts.isJsxAttribute(node.parent)) {
    return listOutcomes(node.expression)
  }
  if (ts.isPropertyAssignment(node) && SPOKEN.has(node.name.getText().replaceAll("'", ''))) {
    return listOutcomes(node.initializer)
  }
  if (ts.isCallExpression(node) && node.expression.getText() === 'plural') {
    return node.arguments.flatMap(listOutcomes)
  }
  return isText(node) && SENTENCE.test(node.text) ? [node.text] : []
}

const asText = (node: ts.JsxAttributeValue): ts.StringLiteral | undefined =>
  ts.isStringLiteral(node) ? node : undefined

/** Texts in a file that a reader would see in English whatever the language. */
function listTexts(name: string, code: string): string[] {
  const kind = name.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS
  const source = ts.createSourceFile(name, code, ts.ScriptTarget.Latest, true, kind)
  const found = new Set<string>()
  const visit = (node: ts.Node): void => {
    // Thrown at programmers: no reader's action leads there.
    if (ts.isNewExpression(node) && node.expression.getText() === 'Error') return
    for (const text of listSpoken(node)) if (WORD.test(text)) found.add(text)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return [...found].map((text) => `${name}: ${text}`)
}

test('nothing outside this folder holds words that people read', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .map((file) => path.posix.join('src', file.replaceAll('\\', '/')))
    .filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file))
    .filter((file) => !EXCEPTIONS.some((folder) => file.startsWith(folder)))
  expect(files.length).toBeGreaterThan(200)
  expect(files.flatMap((file) => listTexts(file, readFileSync(file, 'utf8')))).toEqual([])
})

test.each([
  ['<p>Some words</p>', 'Some words'],
  ['<p>{busy ? "Saving…" : words.save}</p>', 'Saving…'],
  ['<p title={`of ${count}`} />', 'of '],
  ['<p>{name && `, by ${name}`}</p>', ', by '],
  ['toast.success("Model deleted.")', 'Model deleted.'],
  ['const column = { label: "parents" }', 'parents'],
  ['plural(count, "model")', 'model'],
])('finds the words in %s', (code, text) => {
  expect(listTexts('a.tsx', code)).toEqual([`a.tsx: ${text}`])
})

test.each([
  '<p className="text-sm font-medium" title={words.title} />',
  '<p>{kind === "model" ? `${name}: ` : words.none}</p>',
  'if (event.key === "ArrowDown") throw new Error("There is no report.")',
])('finds none in %s', (code) => {
  expect(listTexts('a.tsx', code)).toEqual([])
})
