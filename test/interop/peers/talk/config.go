package talk

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/hashicorp/memberlist"
)

// Profile gives memberlist's defaults for one kind of network.
func Profile(name string) (*memberlist.Config, error) {
	switch name {
	case "lan":
		return memberlist.DefaultLANConfig(), nil
	case "wan":
		return memberlist.DefaultWANConfig(), nil
	case "local":
		return memberlist.DefaultLocalConfig(), nil
	}
	return nil, fmt.Errorf("no profile %q", name)
}

// Seal sets what both programs take as flags: where to listen, the key and the label. Empty ones are none.
func Seal(config *memberlist.Config, bind, key, label string) error {
	host, port, err := SplitAddress(bind)
	if err != nil {
		return err
	}
	config.BindAddr, config.BindPort, config.AdvertisePort = host, port, port
	config.Label = label
	if key == "" {
		return nil
	}
	config.SecretKey, err = base64.StdEncoding.DecodeString(key)
	return err
}

// ReadKeyring reads a list of base64 keys in JSON, the first is primary: as Serf's agent does, whose library only writes the file.
func ReadKeyring(path string) (*memberlist.Keyring, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list [][]byte
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errors.New("no keys")
	}
	return memberlist.NewKeyring(list, list[0])
}
