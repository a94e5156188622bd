// A member in a process of its own, to be killed by restart.test.ts: binds the address, joins the seed, wears the tag that it is
// told on the command line, and says when it is in.
import { Membership } from '../../src/index.ts'

const [, , bind = '', seed = '', life = ''] = process.argv
const membership = new Membership({ name: 'mortal', bind, tags: { life } })
membership.on('warning', ({ code, message }) => console.error(`${code}: ${message}`))
const { joined } = await membership.join([seed])
console.log(`joined ${joined.join()}`)
