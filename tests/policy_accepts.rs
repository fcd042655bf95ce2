//! Which documents load.

use tower_authz::Policy;

const WHOLE: &str = r#"{
  "version": 1,
  "realm": "billing",
  "roles": {
    "viewer":  { "permissions": ["invoice:read"] },
    "editor":  { "inherits": ["viewer"], "permissions": ["invoice:write"] },
    "admin":   { "inherits": ["editor"], "permissions": ["user:delete"] },
    "auditor": {}
  },
  "exclusive_roles": [["editor", "auditor"]],
  "routes": {
    "GET /health":           { "public": "load balancer probe" },
    "GET /me":               "authenticated",
    "GET /invoices":         "viewer",
    "POST /invoices":        "invoice:write",
    "GET /users/{id}":       ["admin", { "all_of": ["viewer"], "claims": { "sub": "{id}" } }],
    "DELETE /users/{id}":    { "allow": "admin", "message": "Deleting users requires the 'admin' role." },
    "PUT,PATCH /orgs/{org}": { "all_of": ["editor"], "claims": { "orgs": "{org}" } },
    "GET /reports/{*path}":  { "any_of": ["viewer", "auditor"], "networks": ["10.0.0.0/8"], "until": "2027-01-01T00:00:00Z" },
    "POST /payments":        { "all_of": ["editor"], "claims": { "plan": ["pro", "enterprise"] }, "step_up": { "acr": ["mfa"], "max_age_seconds": 300 } },
    "ANY /internal/{*rest}": { "allow": "admin", "deny_as": "not_found" }
  }
}"#;

#[test]
fn the_document_of_the_design_loads() {
    let policy = Policy::from_json_str(WHOLE).unwrap();
    assert_eq!(policy.revision().len(), 16);
}
