package sae

import "strings"

// Published is what a registry of published SAEs says of one. Its zero value says
// nothing.
type Published struct {
	Hook              string // counts where the files name none
	Layer             int    // as the release numbers it; -1 when it has none
	NeuronpediaID     string // counts before what the files say
	NormScalingFactor float64
	L0                float64 // counts where the files give none
}

// Described returns s with what is known of it added to its Info. It takes over s:
// closing it closes s.
func Described(s SAE, p Published) SAE {
	info := s.Info()
	if info.Hook == "" && p.Hook != "" {
		info.SetHook(p.Hook)
	}
	if info.L0 == 0 {
		info.L0 = p.L0
	}
	if p.NeuronpediaID != "" {
		info.NeuronpediaID = p.NeuronpediaID
	}
	// SAELens divides the decoder by the registry's factor for SAEs that ask for it.
	if p.NormScalingFactor > 0 && info.SAELensScale == 0 && strings.Contains(info.Scale, "normalize_activations=expected_average_only_in") {
		info.SAELensScale = 1 / p.NormScalingFactor
	}
	return &described{s, info}
}

// described is an SAE of which more is known than its files say.
type described struct {
	SAE
	info Info
}

func (d *described) Info() Info { return d.info.own() }
