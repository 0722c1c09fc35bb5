import { plural } from '@/lib/format'

/** Titles of pages. A translation is another object of this type. */
export const pageWords = {
  jobs: {
    jobs: 'Jobs',
    whatTheServerIs: 'What the server is doing, and what it did.',
  },
  add: {
    addModel: 'Add Model',
    dropOneCheckpointOr:
      'Drop one checkpoint or a whole folder. Each is read, never executed, and its parent is found from the weights alone.',
  },
  model: {
    models: 'Models',
    root: 'Root',
    theModel: 'the model',
    model: 'Model',
    allModels: 'All models',
    family: (name: string, models: number): string => `${name} · ${plural(models, 'model')}`,
  },
} as const
