#!/bin/sh -e
# An image of a real machine by Debian's packer: the template is what `pileus env packer` prints, with user data added and a
# look inside whether they ran.
export PILEUS_ENDPOINT="$ENDPOINT" AWS_REGION="$REGION" AWS_DEFAULT_REGION="$REGION" AWS_PAGER=
export AWS_POLL_DELAY_SECONDS=1 CHECKPOINT_DISABLE=1 PACKER_NO_COLOR=1
ec2() { /usr/bin/aws --endpoint-url "$ENDPOINT" --output text ec2 "$@"; }

"$PILEUS" env packer | sed \
  -e "s|^  ssh_username .*|&\n  user_data = \"#!/bin/sh\\\\necho $WORD > /run/user-data\\\\n\"|" \
  -e "s|\"cloud-init status --wait\"|&, \"grep $WORD /run/user-data\"|" >"$FOLDER/template.pkr.hcl"
grep -q user_data "$FOLDER/template.pkr.hcl"
packer build "$FOLDER/template.pkr.hcl"
image=$(ec2 describe-images --owners self --filters Name=name,Values=example --query 'Images[0].ImageId')
[ "$(ec2 describe-images --image-ids "$image" --query 'Images[0].State')" = available ]
ec2 deregister-image --image-id "$image"
