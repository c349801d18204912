/* The contract as it stands in the tree, and as JSON: embedded, so that the service needs no file to serve it. */
	.section .rodata
	.global contract_yaml, contract_yaml_end, contract_json, contract_json_end
contract_yaml:
	.incbin "openapi.yaml"
contract_yaml_end:
	.byte 0
contract_json:
	.incbin "openapi.json"
contract_json_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
