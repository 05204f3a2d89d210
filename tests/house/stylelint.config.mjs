// The style sheets: what is wrong in any style sheet, and this project's own few rules.
export default {
  extends: ["stylelint-config-recommended"],
  rules: {
    "at-rule-disallowed-list": ["import"],
    "color-named": "never",
    "custom-property-pattern": "^[a-z][a-z0-9-]*$",
    "function-url-no-scheme-relative": true,
    "length-zero-no-unit": true,
    "no-descending-specificity": null, // cascade layers decide
    "selector-class-pattern": "^[a-z][a-z0-9-]*$",
    "selector-max-id": 0,
    "shorthand-property-no-redundant-values": true,
  },
};
