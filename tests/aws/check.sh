#!/usr/bin/env bash
# Looks for mistakes in the template: cfn-lint, SAM's own validation and checkov, all offline. They are taken from PATH.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../../infra/aws"

# Made up: SAM wants some, and nothing is asked of AWS.
export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_DEFAULT_REGION=eu-west-1 AWS_EC2_METADATA_DISABLED=true
export SAM_CLI_TELEMETRY=0 BC_SKIP_MAPPING=TRUE CHECKOV_RUN_SCA_PACKAGE_SCAN_V2=false LOG_LEVEL=ERROR
unset AWS_PROFILE AWS_SESSION_TOKEN BC_API_KEY PRISMA_API_URL

echo '-- cfn-lint'
cfn-lint --regions eu-west-1 us-east-1 ap-southeast-2 --template template.yaml

echo '-- sam validate'
sam validate --lint --template-file template.yaml

echo '-- checkov'
checkov --config-file "$here/checkov.yaml" --file template.yaml
