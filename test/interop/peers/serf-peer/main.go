// Program serf-peer is one member of a cluster with the current Serf inside, driven by JSON lines (package talk). It adds nothing to the
// library: no retries, no waits. Logs go to stderr as Serf and memberlist write them. It ends when stdin is closed.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hashicorp/serf/serf"
	"rollcall.test/peers/talk"
)

// leaveWithin is longer than two broadcast timeouts and the delay of a leave.
const leaveWithin = 15 * time.Second

var eventTypes = map[serf.EventType]string{
	serf.EventMemberJoin:   "join",
	serf.EventMemberLeave:  "left",
	serf.EventMemberFailed: "dead",
	serf.EventMemberUpdate: "update",
	serf.EventMemberReap:   "reap",
}

// states are the words of the tests for Serf's.
var states = map[serf.MemberStatus]string{
	serf.StatusAlive:   "alive",
	serf.StatusLeaving: "leaving",
	serf.StatusLeft:    "left",
	serf.StatusFailed:  "dead",
}

func main() {
	config, err := configure(os.Args[1:])
	if err != nil {
		talk.Fail(err)
	}
	events := make(chan serf.Event, 1024)
	config.EventCh = events
	cluster, err := serf.Create(config)
	if err != nil {
		talk.Fail(err)
	}
	go report(config.NodeName, events)
	go watch(cluster)
	self := cluster.LocalMember()
	talk.Ready(talk.JoinAddress(self.Addr, self.Port))
	talk.Serve(func(request talk.Request) (any, error) { return answer(cluster, request) })
}

func configure(arguments []string) (*serf.Config, error) {
	config := serf.DefaultConfig()
	config.Tags = map[string]string{}
	flags := flag.NewFlagSet("serf-peer", flag.ContinueOnError)
	bind := flags.String("bind", "127.0.0.1:0", "`host:port` to listen on; port 0 takes a free one")
	profile := flags.String("profile", "lan", "lan, wan or local")
	key := flags.String("key", "", "base64 of 16, 24 or 32 bytes; encrypts everything")
	label := flags.String("label", "", "label of the cluster")
	keyring := flags.String("keyring-file", "", "`file` of keys, read at the start and rewritten when they change")
	incoming := flags.Bool("verify-incoming", true, "drop what comes without encryption")
	outgoing := flags.Bool("verify-outgoing", true, "encrypt what is sent")
	coordinates := flags.Bool("coordinates", true, "tell network coordinates with every ack")
	advertise := flags.String("advertise", "", "`host:port` at which others reach us; empty: where we listen")
	flags.IntVar(&config.UserEventSizeLimit, "user-event-size-limit", config.UserEventSizeLimit, "most bytes of a user event that we send")
	flags.StringVar(&config.SnapshotPath, "snapshot", "", "`file` by which it finds its way back")
	flags.BoolVar(&config.RejoinAfterLeave, "rejoin", false, "find the way back after a leave too")
	flags.StringVar(&config.NodeName, "name", config.NodeName, "name, unique in the cluster")
	flags.Var(talk.Tags(config.Tags), "tag", "`key=value`; may stand several times")
	if err := flags.Parse(arguments); err != nil {
		return nil, err
	}
	inner, err := talk.Profile(*profile)
	if err != nil {
		return nil, err
	}
	if err := talk.Seal(inner, *bind, *key, *label); err != nil {
		return nil, err
	}
	if *keyring != "" {
		if inner.Keyring, err = talk.ReadKeyring(*keyring); err != nil {
			return nil, err
		}
		config.KeyringFile = *keyring
	}
	inner.GossipVerifyIncoming, inner.GossipVerifyOutgoing = *incoming, *outgoing
	if *advertise != "" {
		if inner.AdvertiseAddr, inner.AdvertisePort, err = talk.SplitAddress(*advertise); err != nil {
			return nil, err
		}
	}
	config.MemberlistConfig = inner
	config.DisableCoordinates = !*coordinates
	config.ProtocolVersion = serf.ProtocolVersionMax // as the agent does
	return config, nil
}

// isEndAsked is set before we shut down; whatever shuts down otherwise is a failure.
var isEndAsked atomic.Bool

// watch ends the program with a Serf that shuts itself down, as after a vote about its name: it would go on answering from memory.
func watch(cluster *serf.Serf) {
	<-cluster.ShutdownCh()
	if !isEndAsked.Load() {
		talk.Fail(errors.New("serf has shut itself down"))
	}
}

func shutDown(cluster *serf.Serf) error {
	isEndAsked.Store(true)
	return cluster.Shutdown()
}

func answer(cluster *serf.Serf, request talk.Request) (any, error) {
	switch request.Verb {
	case "members":
		return members(cluster), nil
	case "join":
		return cluster.Join(request.Seeds, request.IgnoreOld)
	case "set-tags":
		return nil, cluster.SetTags(request.Tags)
	case "event":
		payload := request.Bytes
		if payload == nil {
			payload = []byte(request.Payload)
		}
		return nil, cluster.UserEvent(request.Name, payload, request.Coalesce)
	case "query":
		return query(cluster, request)
	case "ping":
		return ping(cluster, request.Name, request.Seeds)
	case "force-leave":
		if request.Prune {
			return nil, cluster.RemoveFailedNodePrune(request.Name)
		}
		return nil, cluster.RemoveFailedNode(request.Name)
	case "keys":
		return keys(cluster.KeyManager(), request.Operation, request.Key)
	case "leave":
		if err := talk.Bounded("leave", leaveWithin, cluster.Leave); err != nil {
			return nil, err
		}
		return nil, shutDown(cluster)
	case "quit":
		return nil, shutDown(cluster)
	}
	return nil, fmt.Errorf("unknown verb %q", request.Verb)
}

// queryReport is all that came for a query.
type queryReport struct {
	Responses []queryResponse `json:"responses"`
	Acks      []string        `json:"acks"`
}

type queryResponse struct {
	From  string `json:"from"`
	Bytes []byte `json:"bytes"`
}

// query asks, and waits its full time.
func query(cluster *serf.Serf, request talk.Request) (any, error) {
	asked, err := cluster.Query(request.Name, request.Bytes, &serf.QueryParam{
		FilterNodes: request.FilterNodes,
		FilterTags:  request.FilterTags,
		RequestAck:  request.Ack,
		RelayFactor: request.RelayFactor,
		Timeout:     time.Duration(request.TimeoutMs) * time.Millisecond,
	})
	if err != nil {
		return nil, err
	}
	report := queryReport{Responses: []queryResponse{}, Acks: []string{}}
	acks, responses := asked.AckCh(), asked.ResponseCh()
	for acks != nil || responses != nil {
		select {
		case from, more := <-acks:
			if more {
				report.Acks = append(report.Acks, from)
			} else {
				acks = nil
			}
		case response, more := <-responses:
			if more {
				report.Responses = append(report.Responses, queryResponse{response.From, response.Payload})
			} else {
				responses = nil
			}
		}
	}
	return report, nil
}

// respond answers what the tests ask: an echo, our name, so many zeros, or, where those are too many, what Serf says of that.
func respond(name string, asked *serf.Query) {
	var answer []byte
	switch asked.Name {
	case "echo":
		answer = asked.Payload
	case "name":
		answer = []byte(name)
	case "zeros":
		count, err := strconv.Atoi(string(asked.Payload))
		if err != nil {
			talk.Fail(err)
		}
		answer = make([]byte, count)
	default:
		return
	}
	if err := asked.Respond(answer); err != nil {
		if err := asked.Respond([]byte(err.Error())); err != nil {
			talk.Fail(err)
		}
	}
}

// ping gives the round trip to the one address, in milliseconds.
func ping(cluster *serf.Serf, name string, addresses []string) (float64, error) {
	if len(addresses) != 1 {
		return 0, fmt.Errorf("a ping goes to one address, not %d", len(addresses))
	}
	address, err := net.ResolveUDPAddr("udp", addresses[0])
	if err != nil {
		return 0, err
	}
	rtt, err := cluster.Memberlist().Ping(name, address)
	return float64(rtt) / float64(time.Millisecond), err
}

func members(cluster *serf.Serf) []talk.Member {
	list := []talk.Member{}
	for _, one := range cluster.Members() {
		list = append(list, talk.Member{
			Name: one.Name, State: states[one.Status], Tags: one.Tags, Address: talk.JoinAddress(one.Addr, one.Port),
		})
	}
	return list
}

// keyCounts is what the members said of keys.
type keyCounts struct {
	Members     int            `json:"members"`
	Answered    int            `json:"answered"`
	Keys        map[string]int `json:"keys"`
	PrimaryKeys map[string]int `json:"primaryKeys"`
}

func keys(manager *serf.KeyManager, operation, key string) (any, error) {
	var response *serf.KeyResponse
	var err error
	switch operation {
	case "install":
		response, err = manager.InstallKey(key)
	case "use":
		response, err = manager.UseKey(key)
	case "remove":
		response, err = manager.RemoveKey(key)
	case "list":
		response, err = manager.ListKeys()
	default:
		return nil, fmt.Errorf("unknown operation %q", operation)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %v", err, response.Messages)
	}
	return keyCounts{response.NumNodes, response.NumResp, response.Keys, response.PrimaryKeys}, nil
}

// report passes events on, in order, each member of a bundled one by itself.
func report(name string, events <-chan serf.Event) {
	for event := range events {
		switch event := event.(type) {
		case serf.MemberEvent:
			for _, member := range event.Members {
				talk.Event(eventTypes[event.Type], member.Name, "")
			}
		case *serf.Query:
			respond(name, event)
		case serf.UserEvent:
			talk.Heard(talk.UserEvent{
				Name: event.Name, Bytes: event.Payload, LTime: uint64(event.LTime), Coalesce: event.Coalesce,
			})
		}
	}
}
