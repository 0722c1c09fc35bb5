// Holds the shapes of src/lib against the server's OpenAPI document, which comes on standard input:
//
//   curl -s localhost:5001/api/openapi.json | node scripts/check-types.mjs
//
// Every member that the pages expect must be one that the server sends, of the same kind, with no
// null and no word of an enumeration that the pages do not know. Ends with status 1 and what differs.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** What the pages ask for, and the type in which they take the answer. */
const ANSWERS = {
  'GET /api/models': 'ModelPage',
  'GET /api/models/facets': 'Facets',
  'GET /api/models/{model_id}': 'ModelDetail',
  'PATCH /api/models/{model_id}': 'Model',
  'GET /api/models/{model_id}/compare/{other_id}': 'Comparison',
  'GET /api/models/{model_id}/impact': 'Impact',
  'GET /api/models/{model_id}/licence': 'LicenceReport',
  'POST /api/identify': 'Identification',
  'GET /api/families': 'FamilyPage',
  'GET /api/families/{family_id}': 'Family',
  'GET /api/families/{family_id}/tree': 'FamilyTree',
  'GET /api/families/{family_id}/revisions': 'RevisionPage',
  'GET /api/families/{family_id}/revisions/{number}/diff/{other}': 'RevisionDiff',
  'GET /api/constraints/{constraint_id}': 'Constraint',
  'DELETE /api/constraints/{constraint_id}': 'Corrected',
  'GET /api/uploads/{upload_id}': 'ResumableUpload',
  'GET /api/jobs': 'JobPage',
  'GET /api/jobs/{job_id}': 'Job',
  'GET /api/session': 'Session',
  'GET /api/tokens': 'TokenList',
  'GET /api/tokens/{token_id}': 'Token',
  'GET /api/health': 'Health',
  'GET /api/ready': 'Ready',
  'GET /api/settings': 'ServerSettingList',
  'GET /api/stats': 'Stats',
  'GET /api/stats/distributions': 'LakeDistributions',
}

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SOURCES = ['types', 'statements', 'consequences', 'access'].map((name) =>
  path.join(ROOT, 'src', 'lib', `${name}.ts`),
)

const { config } = ts.readConfigFile(path.join(ROOT, 'tsconfig.json'), ts.sys.readFile)
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT)
const program = ts.createProgram(SOURCES, { ...options, types: [] })
const checker = program.getTypeChecker()
const document = JSON.parse(readFileSync(0, 'utf8'))

const declared = new Map()
for (const file of SOURCES) {
  const module = checker.getSymbolAtLocation(program.getSourceFile(file))
  for (const symbol of checker.getExportsOfModule(module)) declared.set(symbol.name, symbol)
}

const faults = []
const seen = new Set()

const resolve = (schema) =>
  schema?.$ref ? document.components.schemas[schema.$ref.split('/').at(-1)] : schema

/** The schema without null, and whether null was one of its values. */
function split(schema) {
  const plain = resolve(schema)
  for (const several of [plain.anyOf, plain.oneOf]) {
    if (!several) continue
    const real = several.filter((each) => resolve(each).type !== 'null')
    if (real.length === 1)
      return { plain: split(real[0]).plain, nullable: real.length < several.length }
  }
  const types = [plain.type].flat()
  return {
    plain: { ...plain, type: types.find((type) => type !== 'null') },
    nullable: types.includes('null'),
  }
}

const partsOf = (type) => (type.isUnion() ? type.types : [type])
const has = (parts, flag) => parts.some((part) => part.flags & flag)

function compareString(parts, schema, where) {
  if (has(parts, ts.TypeFlags.String)) return
  const words = parts.filter((part) => part.isStringLiteral()).map((part) => part.value)
  if (words.length === 0) faults.push(`${where}: the server sends a string`)
  for (const word of schema.enum ?? []) {
    if (word !== null && !words.includes(word)) faults.push(`${where}: “${word}” is not known`)
  }
}

function compareObject(type, schema, where) {
  if (schema.additionalProperties && !schema.properties) {
    const value = type.getStringIndexType()
    if (value) compare(value, schema.additionalProperties, `${where}[…]`)
    // A record by known words: each of its values is compared.
    else
      for (const member of type.getProperties())
        compareMember(member, schema.additionalProperties, where)
    return
  }
  for (const member of checker.getPropertiesOfType(type)) {
    const sent = schema.properties?.[member.name]
    if (sent === undefined) {
      if (!(member.flags & ts.SymbolFlags.Optional))
        faults.push(`${where}.${member.name}: the server does not send it`)
    } else compareMember(member, sent, where)
  }
}

function compareMember(member, schema, where) {
  compare(checker.getTypeOfSymbol(member), schema, `${where}.${member.name}`)
}

function compare(type, schema, where) {
  const key = `${checker.typeToString(type)} ${schema.$ref ?? where}`
  if (seen.has(key)) return
  seen.add(key)
  const { plain, nullable } = split(schema)
  const parts = partsOf(type)
  if (has(parts, ts.TypeFlags.Unknown | ts.TypeFlags.Any)) return
  if (nullable && !has(parts, ts.TypeFlags.Null)) faults.push(`${where}: may be null`)
  const objects = parts.filter(
    (part) => part.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection),
  )
  switch (plain.type) {
    case 'string':
      return compareString(parts, plain, where)
    case 'integer':
    case 'number':
      if (!has(parts, ts.TypeFlags.NumberLike)) faults.push(`${where}: the server sends a number`)
      return
    case 'boolean':
      if (!has(parts, ts.TypeFlags.BooleanLike))
        faults.push(`${where}: the server sends true or false`)
      return
    case 'array': {
      const list = objects.find((part) => checker.isArrayType(part))
      if (!list) faults.push(`${where}: the server sends a list`)
      else compare(checker.getTypeArguments(list)[0], plain.items, `${where}[]`)
      return
    }
    case 'object':
      if (objects.length === 0) faults.push(`${where}: the server sends an object`)
      else compareObject(objects[0], plain, where)
  }
}

for (const [operation, name] of Object.entries(ANSWERS)) {
  const [method, address] = operation.split(' ')
  const answer = document.paths[address]?.[method.toLowerCase()]?.responses['200']
  const schema = answer?.content?.['application/json']?.schema
  const symbol = declared.get(name)
  if (!schema) faults.push(`${operation}: the server does not describe its answer`)
  else if (!symbol) faults.push(`${name}: there is no such type`)
  else compare(checker.getDeclaredTypeOfSymbol(symbol), schema, name)
}

if (faults.length > 0) {
  console.error([...new Set(faults)].join('\n'))
  process.exit(1)
}
console.log(`${Object.keys(ANSWERS).length} answers are as the pages expect them`)
