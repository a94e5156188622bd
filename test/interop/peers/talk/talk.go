// Package talk is what both peer programs share: requests as JSON lines on stdin, answers and reports as JSON lines on stdout.
// It knows nothing of clusters. Logs go to stderr and are no part of it.
package talk

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// maxLineBytes bounds one request; a test that says more is wrong.
const maxLineBytes = 1 << 20

// Request is one command. Which fields count depends on the verb.
type Request struct {
	ID      int               `json:"id"`
	Verb    string            `json:"verb"`
	Seeds   []string          `json:"seeds"`
	Tags    map[string]string `json:"tags"`
	Name    string            `json:"name"`
	Payload string            `json:"payload"`
	// Bytes go as base64; they stand in place of Payload.
	Bytes     []byte `json:"bytes"`
	Coalesce  bool   `json:"coalesce"`
	IgnoreOld bool   `json:"ignoreOld"`
	Prune     bool   `json:"prune"`
	// Of a query.
	FilterNodes []string          `json:"filterNodes"`
	FilterTags  map[string]string `json:"filterTags"`
	Ack         bool              `json:"ack"`
	RelayFactor uint8             `json:"relayFactor"`
	TimeoutMs   int               `json:"timeoutMs"`
	// Of a change of keys.
	Operation string `json:"operation"`
	Key       string `json:"key"`
}

// Member is one line of a member list.
type Member struct {
	Name    string            `json:"name"`
	State   string            `json:"state"`
	Tags    map[string]string `json:"tags"`
	Address string            `json:"address"`
}

type spoken struct {
	Kind    string  `json:"kind"`
	ID      int     `json:"id,omitempty"`
	At      float64 `json:"at,omitempty"`
	Type    string  `json:"type,omitempty"`
	Name    string  `json:"name,omitempty"`
	Payload string  `json:"payload,omitempty"`
	// Heard is a user event.
	Heard *UserEvent `json:"heard,omitempty"`
	Value any        `json:"value,omitempty"`
	Error string     `json:"error,omitempty"`
}

var out struct {
	sync.Mutex
	*json.Encoder
}

func init() { out.Encoder = json.NewEncoder(os.Stdout) }

func say(s spoken) {
	out.Lock()
	defer out.Unlock()
	if err := out.Encode(s); err != nil {
		os.Exit(1) // nobody reads us any more
	}
}

// Ready tells the address that the peer listens at.
func Ready(address string) { say(spoken{Kind: "ready", Value: address}) }

// Event reports that something happened to the member of that name, now.
func Event(kind, name, payload string) {
	say(spoken{Kind: "event", At: monotonicMs(), Type: kind, Name: name, Payload: payload})
}

// UserEvent is one that a peer delivered.
type UserEvent struct {
	Name     string `json:"name"`
	Bytes    []byte `json:"bytes"`
	LTime    uint64 `json:"ltime"`
	Coalesce bool   `json:"coalesce"`
}

// Heard reports a user event, now.
func Heard(event UserEvent) {
	say(spoken{Kind: "heard", At: monotonicMs(), Heard: &event})
}

// Serve answers requests, each in a goroutine of its own, until stdin is closed or `leave` or `quit` is answered.
func Serve(answer func(Request) (any, error)) {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, maxLineBytes)
	over := make(chan struct{}, 1)
	go func() {
		for lines.Scan() {
			var request Request
			if err := json.Unmarshal(lines.Bytes(), &request); err != nil {
				Fail(fmt.Errorf("not a request: %w", err))
			}
			go func() {
				value, err := answer(request)
				if err != nil {
					say(spoken{Kind: "refusal", ID: request.ID, Error: err.Error()})
				} else {
					say(spoken{Kind: "answer", ID: request.ID, Value: value})
				}
				if err == nil && (request.Verb == "leave" || request.Verb == "quit") {
					over <- struct{}{}
				}
			}()
		}
		os.Exit(1) // whoever started us is gone
	}()
	<-over
}

// Fail ends the program.
func Fail(err error) {
	fmt.Fprintln(os.Stderr, "fatal:", err)
	os.Exit(1)
}

// SplitAddress takes `host:port` apart.
func SplitAddress(text string) (string, int, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return "", 0, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	return host, int(number), err
}

// JoinAddress puts `host:port` together, with brackets around IPv6.
func JoinAddress(ip net.IP, port uint16) string {
	return net.JoinHostPort(ip.String(), strconv.Itoa(int(port)))
}

// Tags is a flag `-tag key=value` that may stand several times.
type Tags map[string]string

func (t Tags) String() string { return fmt.Sprint(map[string]string(t)) }

// Set takes one more tag.
func (t Tags) Set(text string) error {
	key, value, found := strings.Cut(text, "=")
	if !found {
		return fmt.Errorf("%q is not key=value", text)
	}
	t[key] = value
	return nil
}

// Bounded waits for the work no longer than the limit; the work itself goes on.
func Bounded(what string, limit time.Duration, work func() error) error {
	done := make(chan error, 1)
	go func() { done <- work() }()
	select {
	case err := <-done:
		return err
	case <-time.After(limit):
		return fmt.Errorf("%s took longer than %s", what, limit)
	}
}

// monotonicMs reads the clock that all processes of the machine share, so that reports of several can be compared.
func monotonicMs() float64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		Fail(err)
	}
	return float64(now.Nano()) / 1e6
}
