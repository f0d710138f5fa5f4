#!/bin/sh -e
# The whole round by Debian's awscli with a real machine at its end.
export AWS_DEFAULT_REGION="$REGION" AWS_PAGER=
ec2() { /usr/bin/aws --endpoint-url "$ENDPOINT" --output text ec2 "$@"; }
state() { ec2 describe-instances --instance-ids "$1" --query 'Reservations[0].Instances[0].State.Name'; }
# Its own waiters sleep for 15 seconds.
await() { until [ "$(state "$1")" = "$2" ]; do sleep 1; done; }

umask 077
ec2 create-key-pair --key-name awscli --query KeyMaterial >"$FOLDER/awscli.pem"
ec2 create-security-group --group-name awscli --description 'by awscli' >/dev/null
ec2 authorize-security-group-ingress --group-name awscli --protocol tcp --port 22 --cidr 0.0.0.0/0 >/dev/null
id=$(ec2 run-instances --image-id "$IMAGE" --instance-type t3.micro --key-name awscli --security-groups awscli \
  --user-data "#!/bin/sh
echo $WORD > /run/user-data" --query 'Instances[0].InstanceId')
await "$id" running
ec2 wait instance-running --instance-ids "$id"
address=$(ec2 describe-instances --instance-ids "$id" --query 'Reservations[0].Instances[0].PublicIpAddress')
[ "$("$LOGIN" "$FOLDER/awscli.pem" "$address" 'grep . /run/user-data')" = "$WORD" ]
ec2 create-tags --resources "$id" --tags Key=stage,Value=test
[ "$(ec2 describe-tags --filters "Name=resource-id,Values=$id" --query 'Tags[0].Value')" = test ]
ec2 stop-instances --instance-ids "$id" >/dev/null
await "$id" stopped
image=$(ec2 create-image --instance-id "$id" --name 'by awscli')
until [ "$(ec2 describe-images --image-ids "$image" --query 'Images[0].State')" = available ]; do sleep 1; done
ec2 start-instances --instance-ids "$id" >/dev/null
await "$id" running
until ec2 get-console-output --instance-id "$id" | grep -q login:; do sleep 2; done
ec2 terminate-instances --instance-ids "$id" >/dev/null
await "$id" terminated
ec2 deregister-image --image-id "$image"
ec2 delete-security-group --group-name awscli
ec2 delete-key-pair --key-name awscli >/dev/null
