import { useNavigate } from 'react-router'

import { paths } from '@/lib/paths'

import { useUploads } from '../upload-context'
import { FileDropZone } from './file-drop-zone'

/** The drop zone of the start page: what is chosen here goes on to Add Model. */
export function HomeDropZone() {
  const { addFiles } = useUploads()
  const navigate = useNavigate()
  return (
    <FileDropZone
      slim
      onFiles={(files) => {
        addFiles(files)
        void navigate(paths.add)
      }}
    />
  )
}
