// Program memberlist-peer is one member of a cluster with memberlist alone inside, no Serf: what other products build on. It is driven by
// JSON lines (package talk); logs go to stderr as memberlist writes them. It ends when stdin is closed.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/go-msgpack/v2/codec"
	"github.com/hashicorp/memberlist"
	"rollcall.test/peers/talk"
)

// Serf's range of versions: members that do not share one refuse each other's exchanges.
const serfMin, serfMax = 2, 5

// magicByte begins the metadata that Serf reads as tags.
const magicByte = 255

const broadcastWithin = 5 * time.Second

func main() {
	config, tags, err := configure(os.Args[1:])
	if err != nil {
		talk.Fail(err)
	}
	self := &delegate{tags: tags}
	config.Delegate, config.Events, config.Conflict = self, self, self
	list, err := memberlist.Create(config)
	if err != nil {
		talk.Fail(err)
	}
	talk.Ready(list.LocalNode().Address())
	talk.Serve(func(request talk.Request) (any, error) { return answer(list, self, request) })
}

func configure(arguments []string) (*memberlist.Config, map[string]string, error) {
	flags := flag.NewFlagSet("memberlist-peer", flag.ContinueOnError)
	name := flags.String("name", "", "name, unique in the cluster")
	bind := flags.String("bind", "127.0.0.1:0", "`host:port` to listen on; port 0 takes a free one")
	profile := flags.String("profile", "lan", "lan, wan or local")
	key := flags.String("key", "", "base64 of 16, 24 or 32 bytes; encrypts everything")
	label := flags.String("label", "", "label of the cluster")
	tags := talk.Tags{}
	flags.Var(tags, "tag", "`key=value`; may stand several times")
	if err := flags.Parse(arguments); err != nil {
		return nil, nil, err
	}
	config, err := talk.Profile(*profile)
	if err != nil {
		return nil, nil, err
	}
	config.Name = *name
	config.DelegateProtocolMin, config.DelegateProtocolMax, config.DelegateProtocolVersion = serfMin, serfMax, serfMax
	return config, tags, talk.Seal(config, *bind, *key, *label)
}

func answer(list *memberlist.Memberlist, self *delegate, request talk.Request) (any, error) {
	switch request.Verb {
	case "members":
		return members(list), nil
	case "join":
		return list.Join(request.Seeds)
	case "set-tags":
		self.setTags(request.Tags)
		return nil, list.UpdateNode(broadcastWithin)
	case "leave":
		if err := list.Leave(broadcastWithin); err != nil {
			return nil, err
		}
		return nil, list.Shutdown()
	case "quit":
		return nil, list.Shutdown()
	}
	return nil, fmt.Errorf("memberlist knows no %q", request.Verb)
}

// members lists who is alive or suspected: memberlist shows no others, and does not say which is which.
func members(list *memberlist.Memberlist) []talk.Member {
	shown := []talk.Member{}
	for _, node := range list.Members() {
		shown = append(shown, talk.Member{Name: node.Name, State: "alive", Tags: decodeTags(node.Meta), Address: node.Address()})
	}
	return shown
}

// delegate gives memberlist our tags, and hears what happens. Serf's own messages mean nothing to it.
type delegate struct {
	lock sync.Mutex
	tags map[string]string
}

func (d *delegate) setTags(tags map[string]string) {
	d.lock.Lock()
	defer d.lock.Unlock()
	d.tags = tags
}

func (d *delegate) NodeMeta(limit int) []byte {
	d.lock.Lock()
	defer d.lock.Unlock()
	meta := encodeTags(d.tags)
	if len(meta) > limit {
		talk.Fail(fmt.Errorf("tags take %d bytes of %d", len(meta), limit))
	}
	return meta
}

func (d *delegate) NotifyMsg([]byte)                   {}
func (d *delegate) GetBroadcasts(int, int) [][]byte    { return nil }
func (d *delegate) LocalState(bool) []byte             { return nil }
func (d *delegate) MergeRemoteState([]byte, bool)      {}
func (d *delegate) NotifyJoin(node *memberlist.Node)   { talk.Event("join", node.Name, "") }
func (d *delegate) NotifyUpdate(node *memberlist.Node) { talk.Event("update", node.Name, "") }

// NotifyLeave cannot tell a goodbye from a death: the state in the record that memberlist hands out is never brought up to date.
func (d *delegate) NotifyLeave(node *memberlist.Node) { talk.Event("gone", node.Name, "") }

func (d *delegate) NotifyConflict(existing, other *memberlist.Node) {
	talk.Event("conflict", existing.Name, fmt.Sprintf("%s %s", existing.Address(), other.Address()))
}

func encodeTags(tags map[string]string) []byte {
	meta := bytes.NewBuffer([]byte{magicByte})
	if err := codec.NewEncoder(meta, &codec.MsgpackHandle{}).Encode(tags); err != nil {
		talk.Fail(err)
	}
	return meta.Bytes()
}

func decodeTags(meta []byte) map[string]string {
	tags := map[string]string{}
	if len(meta) == 0 || meta[0] != magicByte {
		return tags
	}
	if err := codec.NewDecoderBytes(meta[1:], &codec.MsgpackHandle{}).Decode(&tags); err != nil {
		fmt.Fprintln(os.Stderr, "not tags:", err)
	}
	return tags
}
