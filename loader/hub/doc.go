// Package hub downloads models and SAEs from the Hugging Face Hub into the cache
// that huggingface_hub for Python uses, so that neither downloads what the other
// has.
//
// What a download promises: it continues where an earlier one stopped, also of
// an earlier run; its bytes are those whose SHA-256 (or git blob SHA-1) the Hub
// gives; a file appears under its name only when it is whole; the access token
// goes to the Hub's own host and nowhere else; and no name that the Hub sends
// leads out of the cache.
//
// Source of the protocol and of the cache's layout: huggingface_hub 2.4.0,
// file_download.py, constants.py, hf_api.py and utils/_http.py.
package hub
