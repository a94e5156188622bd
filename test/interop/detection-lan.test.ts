// SIGKILL of a process of either kind is known as soon in a mixed cluster as in one of Go alone: both are killed member by member at the
// same moments. A tight figure takes more kills than a test has time for, and `npm run soak` has them; what so few can show is asserted here.
import { detectionTest } from './support/detection-test.ts'

detectionTest('lan')
