/** Stop, resume, restart: shown at once, taken back with the reason when the server refuses. */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { rememberTask, taskQuery, type Task } from '../api'
import { useShowError } from '@/components/use-show-error'

const ACTION = ['tasks', 'action']

/**
 * Stop (optimistic), resume, restart: the answer is the task as it is then. While one is under way
 * another click does nothing, wherever the button stands: a double click is one wish.
 */
export function useTaskAction() {
  const client = useQueryClient()
  const showError = useShowError()
  const action = useMutation({
    mutationKey: ACTION,
    mutationFn: ({ run }: { task: Task; run: () => Promise<Task>; expect: Task['status'] }) => run(),
    onMutate: ({ task, expect }) => {
      // The chip changes at once; the server's answer or the event stream corrects it.
      client.setQueryData(taskQuery(task.id).queryKey, { ...task, status: expect })
    },
    onSuccess: (task) => rememberTask(client, task),
    onError: (error, { task }) => {
      showError(error)
      client.setQueryData(taskQuery(task.id).queryKey, task)
      void client.invalidateQueries({ queryKey: taskQuery(task.id).queryKey })
    },
  })
  const mutate: typeof action.mutate = (wish) => {
    if (client.isMutating({ mutationKey: ACTION }) === 0) action.mutate(wish)
  }
  return { mutate, isPending: action.isPending }
}
