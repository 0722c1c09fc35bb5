import { plural } from '@/lib/format'
import type { JobKind, JobState } from '@/lib/types'

/** What the page of jobs says. A translation is another object of this type. */
export const jobWords = {
  adminActions: {
    folder: 'Folder',
    srvCheckpoints: '/srv/checkpoints',
    import: 'Import',
    importAFolder: 'Import a folder',
    everyCheckpointBelowA:
      'Every checkpoint below a folder of the server is added, as if it were uploaded. Only folders that the setting',
    importRoots: 'import_roots',
    namesAreOpen: 'names are open.',
    solveTheWholeLake: 'Solve the whole lake again?',
    allFamiliesAndParents:
      'All families and parents are computed anew in the background. The catalogue stays usable.',
    solveAgain: 'Solve again',
    recluster: 'Recluster',
    cleanUp: 'Clean up?',
    removesWhatDeadUploads:
      'Removes what dead uploads and deleted models left behind, and the records of old jobs. No model is touched.',
    cleanUp2: 'Clean up',
  },
  jobList: {
    jobs: 'jobs',
    noJobsYet: 'No jobs yet',
    addingAModelAnd: 'Adding a model and solving a family again are jobs. They appear here.',
    noSuchJobs: 'No such jobs',
    noneOfTheJobs: 'None of the jobs is of this kind and in this state.',
    jobs2: 'Jobs',
    state: 'State',
    kind: 'Kind',
    allStates: 'All states',
    allKinds: 'All kinds',
    count: (jobs: number): string => plural(jobs, 'job'),
    some: (shown: string, jobs: number): string => `${shown} of ${plural(jobs, 'job')}`,
    loading: 'Loading…',
    more: 'Show more',
  },
  jobRow: {
    family: 'Family',
    cancel: 'Cancel',
    tryAgain: 'Try again',
    took: ', took',
    model: 'Model',
    cancelWhat: (what: string): string => `Cancel: ${what}`,
    tryAgainWhat: (what: string): string => `Try again: ${what}`,
    left: (time: string): string => ` · ${time} left`,
    progress: (what: string): string => `${what}: progress`,
    working: 'working',
    attempt: (now: number, most: number): string => `, attempt ${now} of ${most}`,
  },
  kinds: {
    process: 'Read a new model',
    reprocess: 'Read a model again',
    rebuild: 'Solve a family again',
    recluster: 'Solve the whole lake again',
    import: 'Import a folder',
    cleanup: 'Clean up',
    delete: 'Delete models',
  } satisfies Record<JobKind, string>,
  states: {
    queued: 'Queued',
    running: 'Running',
    done: 'Done',
    failed: 'Failed',
    cancelled: 'Cancelled',
  } satisfies Record<JobState, string>,
  results: {
    added: (models: number): string => `${plural(models, 'model')} added`,
    alreadyHere: (files: number): string => `${files} already here`,
    unreadable: (files: number): string => `${files} unreadable`,
    deleted: (models: number, bytes: string): string =>
      `${plural(models, 'model')} deleted, ${bytes} freed.`,
    nothing: 'Nothing had to be removed.',
    removed: (files: number, bytes: string): string =>
      `${plural(files, 'file')} removed, ${bytes} freed.`,
  },
  told: {
    stopping: 'The job is asked to stop',
    waiting: 'The job waits for its turn again',
    recluster: 'Solving the whole lake again',
    cleanUp: 'Cleaning up',
    import: 'Importing the folder',
  },
} as const
