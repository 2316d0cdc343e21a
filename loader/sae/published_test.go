package sae

import "testing"

func TestDescribed(t *testing.T) {
	known := Published{Hook: "blocks.3.attn.hook_z", Layer: 3, NeuronpediaID: "m/3-att", NormScalingFactor: 4, L0: 20}
	silent := Described(&described{info: Info{Layer: -1, Space: ResidualStream, Scale: scaleAsStored}}, known).Info()
	if silent.Hook != known.Hook || silent.Layer != 3 || silent.Space != AttentionHeads || silent.NeuronpediaID != "m/3-att" || silent.L0 != 20 || silent.SAELensScale != 0 {
		t.Errorf("what the files do not say: %+v", silent)
	}
	said := Described(&described{info: Info{
		Hook: "blocks.5.hook_resid_pre", Layer: 5, Space: ResidualStream, NeuronpediaID: "m/5-res", L0: 7,
		Scale: scaleAsStored + "; normalize_activations=expected_average_only_in",
	}}, known).Info()
	if said.Hook != "blocks.5.hook_resid_pre" || said.Layer != 5 || said.Space != ResidualStream || said.NeuronpediaID != "m/3-att" || said.L0 != 7 {
		t.Errorf("what the files say: %+v", said)
	}
	if said.SAELensScale != 0.25 {
		t.Errorf("SAELens divides the decoder by the factor: scale %v, expected 0.25", said.SAELensScale)
	}
	if plain := Described(&described{info: Info{Hook: "h", Layer: -1}}, Published{}).Info(); plain.Hook != "h" || plain.NeuronpediaID != "" || plain.SAELensScale != 0 {
		t.Errorf("nothing known: %+v", plain)
	}
}
