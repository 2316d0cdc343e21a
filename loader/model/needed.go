package model

import (
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/pyjson"
)

// NeededTensors returns which of a checkpoint's tensors Open needs: the unembedding
// and the final norm, by their full names; with the embedding and the heads where the options
// ask for them. Config is the content of its config.json,
// which may be empty with options that name the tensors; names are those of all its
// tensors, as in model.safetensors.index.json or the header of the file.
//
// It lets a client fetch no other tensor. Errors are those that Open would return.
func NeededTensors(config []byte, names []string, o Options) ([]string, error) {
	cfg, err := parseConfig(config, o.standAlone())
	if err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, fault.At(opRead, configFile, err)
	}
	c := checkpointOf(names)
	p, f, err := c.processing(cfg, configFile, o)
	if err != nil {
		return nil, fault.At(opRead, configFile, err)
	}
	needed := p.names(f)
	var more []string
	if o.Embedding {
		if f, err = c.embeddingForm(cfg, configFile, o); err != nil {
			return nil, fault.At(opReadEmbedding, configFile, err)
		}
		more = f.names()
	}
	if o.Attention != "" {
		heads, err := c.neededForAttention(cfg, o)
		if err != nil {
			return nil, fault.At(opReadAttention, configFile, err)
		}
		more = append(more, heads...)
	}
	if o.MLP != "" {
		neurons, err := c.neededForMLP(cfg, o)
		if err != nil {
			return nil, fault.At(opReadMLP, configFile, err)
		}
		more = append(more, neurons...)
	}
	for _, name := range more {
		if !slices.Contains(needed, name) {
			needed = append(needed, name)
		}
	}
	return needed, nil
}

// NeededBlockTensor returns the full name of the tensor that OpenBlock needs, as
// NeededTensors does for Open.
func NeededBlockTensor(config []byte, names []string, kind BlockKind, layer int) (string, error) {
	cfg, err := parseConfig(config, false)
	if err != nil {
		return "", err
	}
	info := BlockInfo{Kind: kind, Layer: layer}
	if _, err := checkpointOf(names).chooseBlock(&info, cfg, configFile); err != nil {
		return "", fault.At(opReadBlock, configFile, err)
	}
	return info.Tensor, nil
}

// NeededHeads returns the full names of the tensors that OpenAttention needs of layers, which
// BlockLayers takes, as NeededTensors does for Open.
func NeededHeads(config []byte, names []string, layers string) ([]string, error) {
	cfg, err := parseConfig(config, false)
	if err != nil {
		return nil, err
	}
	needed, err := checkpointOf(names).neededForAttention(cfg, Options{Attention: layers})
	return needed, fault.At(opReadAttention, configFile, err)
}

// checkpointOf is a checkpoint of which only the names of its tensors are known.
func checkpointOf(names []string) *checkpoint {
	c := &checkpoint{dir: "checkpoint", holder: make(map[string]string, len(names))}
	for _, name := range names {
		c.holder[name] = ""
	}
	return c
}

func parseConfig(content []byte, lenient bool) (*config, error) {
	var c config
	if len(content) > 0 || !lenient {
		if err := pyjson.Unmarshal(content, &c); err != nil {
			return nil, fault.At(opRead, configFile, err)
		}
	}
	if c.ModelType == "" && !lenient {
		return nil, fault.At(opRead, configFile, withoutModelType(configFile))
	}
	return &c, nil
}
