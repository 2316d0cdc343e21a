package udf

import (
	"slices"

	"github.com/saedb/saedb/udf/capi"
)

// tokensArgument is the last argument, tokens, of a call: which tokens count, all of them
// where it is not given.
type tokensArgument struct {
	function string
	given    *texts // nil where it is not
}

// in makes the calls that ask reads count these tokens. NULL gives NULL.
func (a tokensArgument) in(ask func(row int) (call, bool, error)) func(row int) (call, bool, error) {
	if a.given == nil {
		return ask
	}
	return func(row int) (call, bool, error) {
		asked, ok, err := ask(row)
		if err != nil || !ok || !a.given.valid(row) {
			return call{}, false, err
		}
		asked.scope = a.given.at(row)
		return asked, true, checkScope(a.function, asked.scope)
	}
}

// withTokens is a function without and with a last argument tokens.
func withTokens(function string, parameters []capi.Type, returns capi.Type, f *Functions,
	do func(f *execution, input capi.Chunk, output capi.Vector, tokens tokensArgument) error) []capi.Scalar {
	without := func(f *execution, input capi.Chunk, output capi.Vector) error {
		return do(f, input, output, tokensArgument{function: function})
	}
	with := func(f *execution, input capi.Chunk, output capi.Vector) error {
		return do(f, input, output, tokensArgument{function, newTexts(input.Column(len(parameters)))})
	}
	return []capi.Scalar{
		{Parameters: parameters, Returns: returns, Run: f.of(without)},
		{Parameters: append(slices.Clone(parameters), capi.Varchar), Returns: returns, Run: f.of(with)},
	}
}
