import { api, downloadUrl } from '@/lib/api'
import type { Model } from '@/lib/types'

/** A name for the file that neither a shell nor a folder can take for something else. */
function nameFile({ filename, id }: Model): string {
  const safe = filename.replaceAll(/[^\w.-]+/g, '_').replace(/^[.-]+/, '')
  return safe === '' ? id : safe
}

/** The file by curl, and what is known of it. */
export function writeCurl(model: Model, origin: string): string {
  return [
    `curl -o ${nameFile(model)} ${origin}${downloadUrl(model.id)}`,
    `curl ${origin}/api/models/${encodeURIComponent(model.id)}`,
    '',
  ].join('\n')
}

/** The same in Python, with nothing but its own library. */
export function writePython(model: Model, origin: string): string {
  const api = `${origin}/api/models/${encodeURIComponent(model.id)}`
  return [
    'import json',
    'from urllib.request import urlopen, urlretrieve',
    '',
    `urlretrieve("${origin}${downloadUrl(model.id)}", "${nameFile(model)}")`,
    `model = json.load(urlopen("${api}"))`,
    'print(model["lineage"]["parent"])',
    '',
  ].join('\n')
}

/** The head of a Hugging Face model card, as the server writes it. */
export const fetchCard = (model: Model): Promise<string> => api.getModelCard(model.id)
